using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Storage;

internal sealed class PersistentVolumeClaimStrategy : DefaultStrategy
{
    public override void Default(JsonObject tree) => ClaimSpec.Default(tree.Ensure("spec"));

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["phase"] = "Pending" };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            return [];
        return ClaimSpec.Validate(root["spec"]).Concat(old is { } before ? Update(root["spec"], before) : []);
    }

    private static IEnumerable<FieldError> Update(Field spec, Field old)
    {
        var before = old["spec"];
        var now = Comparable(spec.Value);
        var was = Comparable(before.Value);
        if (now is null || was is null)
            yield break;
        // What the binder fills in later, once.
        foreach (var name in (string[])["volumeName", "storageClassName"])
        {
            if (was[name] is null || was.TextAt(name).Length == 0 && name == "volumeName")
                was.TakeFrom(now, name);
        }
        if (!now.SameAs(was))
            yield return spec.Forbidden("spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");

        var (size, sizeBefore) = (Size(spec), Size(before));
        if (size < sizeBefore)
            yield return spec["resources"]["requests"]["storage"].Forbidden("field can not be less than previous value");
        else if (size > sizeBefore)
        {
            yield return spec["resources"]["requests"]["storage"].Forbidden(
                "a volume cannot be resized: volumes of weft.dev/local are directories, which share the space of their node whatever size they claim");
        }
    }

    private static JsonObject? Comparable(JsonNode? spec)
    {
        if (spec?.DeepClone() is not JsonObject copy)
            return null;
        copy.Object("resources").Object("requests")?.Remove("storage");
        copy.Remove("volumeAttributesClassName");
        return copy;
    }

    private static Quantity Size(Field spec) => Quantity.TryParse(spec["resources"]["requests"]["storage"].Scalar, out var size) ? size : Quantity.Zero;
}
