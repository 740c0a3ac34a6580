using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

/// <summary>Events of events.k8s.io, which is stricter than the core form.</summary>
internal sealed class EventsEventStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    // Read from the stored form.
    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = new Dictionary<string, Func<JsonObject, string>>
    {
        ["regarding.kind"] = e => e.TextAt("involvedObject", "kind"),
        ["regarding.namespace"] = e => e.TextAt("involvedObject", "namespace"),
        ["regarding.name"] = e => e.TextAt("involvedObject", "name"),
        ["regarding.uid"] = e => e.TextAt("involvedObject", "uid"),
        ["regarding.apiVersion"] = e => e.TextAt("involvedObject", "apiVersion"),
        ["reason"] = e => e.TextAt("reason"),
        ["reportingController"] = e => e.TextAt("reportingComponent"),
        ["type"] = e => e.TextAt("type"),
    }.ToFrozenDictionary();

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (old is not null)
            yield break;
        var (about, home) = (root["regarding"]["namespace"], root["metadata"]["namespace"].TextOrEmpty);
        if (about.TextOrEmpty.Length == 0 ? home is not ("default" or "kube-system") : about.Text != home)
            yield return about.Invalid("does not match event.namespace");
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
