using System.Collections.Frozen;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

internal sealed class NodeStrategy : DefaultStrategy
{
    public override bool Namespaced => false;

    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = new Dictionary<string, Func<JsonObject, string>>
    {
        ["spec.unschedulable"] = node => node.Object("spec").FlagAt("unschedulable") ? "true" : "false",
    }.ToFrozenDictionary();

    public override void Default(JsonObject tree)
    {
        if (tree.Object("status") is { } status)
        {
            status.CanonicalQuantities("capacity");
            if (status["allocatable"] is null && status["capacity"] is not null)
                status.TakeFrom(status, "capacity", "allocatable");
            status.CanonicalQuantities("allocatable");
        }
        if (tree.Object("spec") is { } spec && spec["podCIDRs"] is null && spec.TextAt("podCIDR") is { Length: > 0 } range)
            spec["podCIDRs"] = new JsonArray(range);
    }

    // An agent registers its node together with the status.
    public override void PrepareForCreate(JsonObject tree, StrategyContext context)
    {
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        var seen = new HashSet<(string, string)>();
        foreach (var taint in spec["taints"].Items)
        {
            foreach (var error in Rules.Named(taint["key"], NameRules.QualifiedName).Concat(Rules.Optional(taint["value"], NameRules.LabelValue)))
                yield return error;
            if (!seen.Add((taint["key"].TextOrEmpty, taint["effect"].TextOrEmpty)))
                yield return FieldError.Duplicate(taint.Path, taint.Shown);
        }
        foreach (var range in spec["podCIDRs"].Items)
        {
            if (range.Text is { } text && !IPNetwork.TryParse(text, out _))
                yield return range.Invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24)");
        }
        foreach (var (_, amount) in root["status"]["capacity"].Entries.Concat(root["status"]["allocatable"].Entries))
        {
            foreach (var error in Rules.Quantity(amount))
                yield return error;
        }
        if (old is not { } before)
            yield break;
        foreach (var name in (string[])["podCIDR", "podCIDRs", "providerID"])
        {
            var (now, was) = (spec[name], before["spec"][name]);
            if (was.Exists && !was.IsBlank && !now.Value.SameAs(was.Value))
                yield return now.Forbidden($"node updates may not change {name} except from \"\" to valid");
        }
    }
}
