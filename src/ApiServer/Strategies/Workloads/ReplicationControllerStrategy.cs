using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.Pods;

namespace Weft.ApiServer.Strategies.Workloads;

internal sealed class ReplicationControllerStrategy : DefaultStrategy
{
    public override void Default(JsonObject tree)
    {
        if (WorkloadSpec.Default(tree) is not { } spec || spec.Object("template").Object("metadata").Object("labels") is not { Count: > 0 } labels)
            return;
        if (spec.Object("selector") is null or { Count: 0 })
            spec["selector"] = labels.DeepClone();
        if (tree.Ensure("metadata") is { } metadata && metadata.Object("labels") is null or { Count: 0 } && tree["metadata"] is JsonObject meta)
            meta["labels"] = labels.DeepClone();
    }

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => WorkloadSpec.Warnings(tree, old);

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["replicas"] = 0 };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            yield break;
        var spec = root["spec"];
        var (selector, template) = (spec["selector"], spec["template"]);
        foreach (var error in Rules.AtLeastZero(spec["replicas"]).Concat(Rules.AtLeastZero(spec["minReadySeconds"])))
            yield return error;
        if (selector.Count == 0)
            yield return selector.Required();
        if (!template.Exists)
        {
            yield return template.Required();
            yield break;
        }
        if (selector.Entries.Any(entry => template["metadata"]["labels"][entry.Key].Text != entry.Field.Text))
            yield return template["metadata"]["labels"].Invalid("`selector` does not match template `labels`");
        foreach (var error in PodSpecValidation.Template(template))
            yield return error;
    }
}
