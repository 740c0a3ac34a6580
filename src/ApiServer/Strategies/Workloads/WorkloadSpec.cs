using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Strategies.Pods;

namespace Weft.ApiServer.Strategies.Workloads;

/// <summary>What Deployment and ReplicaSet have in common: replicas, selector, template.</summary>
internal static class WorkloadSpec
{
    /// <summary>Sets the defaults and answers the spec, or null when it is no object.</summary>
    public static JsonObject? Default(JsonObject tree)
    {
        if (tree.Ensure("spec") is not { } spec)
            return null;
        spec.Default("replicas", 1);
        if (spec.Object("template")?.Ensure("spec") is { } pod)
            PodDefaults.Spec(pod);
        return spec;
    }

    public static IEnumerable<string> Warnings(JsonObject tree, JsonObject? old)
    {
        var template = Field.Root(tree)["spec"]["template"];
        return old is not null && template.Value.SameAs(Field.Root(old)["spec"]["template"].Value) ? [] : PodWarnings.Of(template["spec"]);
    }

    /// <param name="claims">Volumes that the template may mount without naming them: the claims of a stateful set.</param>
    public static IEnumerable<FieldError> Validate(Field spec, string what, IEnumerable<string>? claims = null)
    {
        var (selector, template) = (spec["selector"], spec["template"]);
        foreach (var error in Rules.AtLeastZero(spec["replicas"]).Concat(Rules.AtLeastZero(spec["minReadySeconds"])).Concat(SelectorRules.Validate(selector)))
            yield return error;

        if (selector.Exists && SelectorRules.IsEmpty(selector))
            yield return selector.Invalid($"empty selector is invalid for {what}");
        if (!template.Exists)
            yield break;
        if (selector.Exists && !SelectorRules.IsEmpty(selector) && !SelectorRules.Matches(selector, template["metadata"]["labels"]))
            yield return template["metadata"]["labels"].Invalid("`selector` does not match template `labels`");
        foreach (var error in PodSpecValidation.Template(template, claims))
            yield return error;
    }
}
