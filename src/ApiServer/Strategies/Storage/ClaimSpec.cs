using System.Text.Json.Nodes;
using Weft.Api;

namespace Weft.ApiServer.Strategies.Storage;

/// <summary>Defaults and rules of what is claimed: of claims, and of the templates from which workloads make claims.</summary>
internal static class ClaimSpec
{
    public static readonly string[] AccessModes = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

    public static void Default(JsonObject? spec)
    {
        if (spec is null)
            return;
        spec.Default("volumeMode", "Filesystem");
        spec.Object("resources").CanonicalQuantities("requests");
        spec.Object("resources").CanonicalQuantities("limits");
    }

    public static IEnumerable<FieldError> Validate(Field spec)
    {
        if (spec["accessModes"].Count == 0)
            yield return spec["accessModes"].Required("at least 1 access mode is required");
        foreach (var error in Modes(spec["accessModes"]).Concat(SelectorRules.Validate(spec["selector"])))
            yield return error;

        var size = spec["resources"]["requests"]["storage"];
        if (!size.Exists)
            yield return spec["resources"].At("storage").Required();
        else if (Weft.Api.Quantity.TryParse(size.Scalar, out var amount) && amount.Sign <= 0)
            yield return size.Invalid("must be greater than zero");
        foreach (var error in spec["resources"]["requests"].Entries.Concat(spec["resources"]["limits"].Entries).SelectMany(entry => Rules.Quantity(entry.Field))
            .Concat(Rules.Optional(spec["storageClassName"], NameRules.DnsSubdomain)))
            yield return error;
        if (spec["volumeMode"].Text is { } mode && mode is not ("Filesystem" or "Block"))
            yield return spec["volumeMode"].Unsupported(["Block", "Filesystem"]);
    }

    public static IEnumerable<FieldError> Modes(Field modes)
    {
        foreach (var mode in modes.Items)
        {
            if (mode.Text is { } text && !AccessModes.Contains(text))
                yield return mode.Unsupported(AccessModes);
        }
        if (modes.Count > 1 && modes.Items.Any(mode => mode.Text == "ReadWriteOncePod"))
            yield return modes.Forbidden("may not use ReadWriteOncePod with other access modes");
    }
}
