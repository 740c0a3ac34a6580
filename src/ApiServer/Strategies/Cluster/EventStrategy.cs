using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

/// <summary>Events of the core group.</summary>
internal sealed class EventStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = new Dictionary<string, Func<JsonObject, string>>
    {
        ["involvedObject.kind"] = e => e.TextAt("involvedObject", "kind"),
        ["involvedObject.namespace"] = e => e.TextAt("involvedObject", "namespace"),
        ["involvedObject.name"] = e => e.TextAt("involvedObject", "name"),
        ["involvedObject.uid"] = e => e.TextAt("involvedObject", "uid"),
        ["involvedObject.apiVersion"] = e => e.TextAt("involvedObject", "apiVersion"),
        ["involvedObject.resourceVersion"] = e => e.TextAt("involvedObject", "resourceVersion"),
        ["involvedObject.fieldPath"] = e => e.TextAt("involvedObject", "fieldPath"),
        ["reason"] = e => e.TextAt("reason"),
        ["reportingComponent"] = e => e.TextAt("reportingComponent"),
        ["source"] = e => e.TextAt("source", "component") is { Length: > 0 } component ? component : e.TextAt("reportingComponent"),
        ["type"] = e => e.TextAt("type"),
    }.ToFrozenDictionary();

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var about = root["involvedObject"]["namespace"];
        var home = root["metadata"]["namespace"].TextOrEmpty;
        // Events about cluster-scoped objects live in a namespace of the system.
        if (about.TextOrEmpty.Length == 0 ? home is not ("default" or "kube-system") : about.Text != home)
            yield return about.Invalid("does not match event.namespace");
        foreach (var error in Rules.AtLeastZero(root["count"]))
            yield return error;
    }
}
