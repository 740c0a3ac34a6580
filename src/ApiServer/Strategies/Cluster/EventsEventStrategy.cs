using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

/// <summary>Events of events.k8s.io, which is stricter than the core form.</summary>
internal sealed class EventsEventStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = new Dictionary<string, Func<JsonObject, string>>
    {
        ["regarding.kind"] = e => e.TextAt("regarding", "kind"),
        ["regarding.namespace"] = e => e.TextAt("regarding", "namespace"),
        ["regarding.name"] = e => e.TextAt("regarding", "name"),
        ["regarding.uid"] = e => e.TextAt("regarding", "uid"),
        ["regarding.apiVersion"] = e => e.TextAt("regarding", "apiVersion"),
        ["reason"] = e => e.TextAt("reason"),
        ["reportingController"] = e => e.TextAt("reportingController"),
        ["type"] = e => e.TextAt("type"),
    }.ToFrozenDictionary();

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (old is not null)
            yield break;
        foreach (var (name, most) in ((string, int)[])[("reason", 128), ("action", 128), ("reportingInstance", 128)])
        {
            if (root[name].TextOrEmpty.Length == 0)
                yield return root[name].Required();
            else if (root[name].TextOrEmpty.Length > most)
                yield return root[name].Invalid($"can have at most {most} characters");
        }
        var controller = root["reportingController"];
        if (controller.TextOrEmpty.Length == 0)
            yield return controller.Required();
        else if (NameRules.QualifiedName(controller.TextOrEmpty) is { } wrong)
            yield return controller.Invalid(wrong);
        if (root["note"].TextOrEmpty.Length > 1024)
            yield return root["note"].Invalid("can have at most 1024 characters");
        if (root["type"].Text is not ("Normal" or "Warning"))
            yield return root["type"].Invalid("must be Normal or Warning");
        if (root["series"]["count"].Number is < 2)
            yield return root["series"]["count"].Invalid("should be at least 2");
    }
}
