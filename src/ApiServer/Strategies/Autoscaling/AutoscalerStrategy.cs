using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Autoscaling;

/// <summary>HorizontalPodAutoscalers of autoscaling/v2, the form that is stored.</summary>
internal sealed class AutoscalerStrategy : DefaultStrategy
{
    public override void Default(JsonObject tree)
    {
        if (tree["spec"] is JsonObject spec)
            AutoscalerDefaults.Apply(spec);
    }

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["desiredReplicas"] = 0 };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context) =>
        context.Subresource == "status" ? AutoscalerValidation.Status(root["status"]) : AutoscalerValidation.Spec(root["spec"]);
}

/// <summary>HorizontalPodAutoscalers of autoscaling/v1: judged by what they become.</summary>
/// <param name="newer">The schema of v2.</param>
internal sealed class AutoscalerV1Strategy(Schema newer) : DefaultStrategy
{
    private readonly StoredForm _form = AutoscalerForms.StoredAs(newer);

    public override void Default(JsonObject tree)
    {
        if (tree["spec"] is JsonObject spec)
            spec.Default("minReplicas", 1);
    }

    public override void PrepareForCreate(JsonObject tree, StrategyContext context)
    {
        base.PrepareForCreate(tree, context);
        if (tree["metadata"] is JsonObject metadata)
            AutoscalerForms.DropStatus(metadata);
    }

    public override void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(tree, old, context);
        // Half of the status stands in annotations: a client that does not send them back must not delete it.
        if (context.Subresource != "status" && tree["metadata"] is JsonObject metadata)
            AutoscalerForms.KeepStatus(metadata, old["metadata"] as JsonObject);
    }

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["currentReplicas"] = 0, ["desiredReplicas"] = 0 };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        foreach (var error in AutoscalerForms.Unreadable(root["metadata"]["annotations"]))
            yield return error;
        if (root.Value?.DeepClone() is not JsonObject tree)
            yield break;
        _form.ToStored(tree);
        var shape = StructuralValidator.Validate(tree, newer, null);
        foreach (var error in shape)
            yield return error;
        if (shape.Count > 0)
            yield break;
        var stored = Field.Root(tree);
        foreach (var error in context.Subresource == "status" ? AutoscalerValidation.Status(stored["status"]) : AutoscalerValidation.Spec(stored["spec"]))
            yield return error;
    }
}
