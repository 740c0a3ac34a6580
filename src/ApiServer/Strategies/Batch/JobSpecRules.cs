using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Strategies.Pods;

namespace Weft.ApiServer.Strategies.Batch;

/// <summary>Defaults and rules of a job's spec, for jobs and for the templates of cron jobs.</summary>
internal static class JobSpecRules
{
    // As Kubernetes: with more indexes their list would no longer fit into the status.
    private const long MostIndexed = 100_000;

    public static void Default(JsonObject spec)
    {
        if (spec.Object("template")?.Ensure("spec") is { } pod)
            PodDefaults.Spec(pod);
        if (spec["completions"] is null && spec["parallelism"] is null)
            spec["completions"] = 1;
        spec.Default("parallelism", 1);
        if (spec["backoffLimit"] is null)
            spec["backoffLimit"] = spec["backoffLimitPerIndex"] is null ? 6 : int.MaxValue;
        spec.Default("completionMode", "NonIndexed");
        spec.Default("suspend", false);
        spec.Default("manualSelector", false);
        if (spec["manualSelector"] is JsonValue manual && manual.TryGetValue<bool>(out var own) && !own)
            spec.Remove("manualSelector");
        spec.Default("podReplacementPolicy", spec["podFailurePolicy"] is null ? "TerminatingOrFailed" : "Failed");
        foreach (var pattern in spec.Object("podFailurePolicy").Objects("rules").SelectMany(rule => rule.Objects("onPodConditions")))
            pattern.Default("status", "True");
    }

    public static IEnumerable<FieldError> Validate(Field spec)
    {
        foreach (var name in (string[])["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes", "ttlSecondsAfterFinished"])
        {
            foreach (var error in Rules.AtLeastZero(spec[name]))
                yield return error;
        }

        var indexed = spec["completionMode"].Text == "Indexed";
        if (indexed && !spec["completions"].Exists)
            yield return spec["completions"].Required("when completion mode is Indexed");
        if (indexed && spec["completions"].Number > MostIndexed)
            yield return spec["completions"].Invalid($"must be less than or equal to {MostIndexed} when completion mode is Indexed");
        if (!indexed && spec["backoffLimitPerIndex"].Exists)
            yield return spec["backoffLimitPerIndex"].Invalid("when backoffLimitPerIndex is specified the completion mode must be Indexed");
        if (!spec["backoffLimitPerIndex"].Exists && spec["maxFailedIndexes"].Exists)
            yield return spec["backoffLimitPerIndex"].Required("when maxFailedIndexes is specified");
        if (!indexed && spec["successPolicy"].Exists)
            yield return spec["successPolicy"].Invalid("requires indexed completion mode");

        var template = spec["template"];
        var restart = template["spec"]["restartPolicy"];
        foreach (var error in ObjectMetaValidation.Labels(template["metadata"]["labels"])
            .Concat(ObjectMetaValidation.Annotations(template["metadata"]["annotations"]))
            .Concat(PodSpecValidation.Validate(template["spec"])))
            yield return error;
        if (restart.Exists && restart.Text is not ("OnFailure" or "Never"))
            yield return restart.Unsupported(["OnFailure", "Never"]);
        foreach (var error in FailurePolicy(spec, restart.Text).Concat(SuccessPolicy(spec)))
            yield return error;
    }

    private static IEnumerable<FieldError> FailurePolicy(Field spec, string? restart)
    {
        var policy = spec["podFailurePolicy"];
        if (!policy.Exists)
            yield break;
        if (restart != "Never")
            yield return spec["template"]["spec"]["restartPolicy"].Invalid("only \"Never\" is supported when podFailurePolicy is specified");
        foreach (var rule in policy["rules"].Items)
        {
            var (codes, conditions) = (rule["onExitCodes"], rule["onPodConditions"]);
            if (codes.Exists == conditions.Count > 0)
                yield return rule.Invalid("specifying one of OnExitCodes and OnPodConditions is required");
            if (codes.Exists && codes["values"].Count == 0)
                yield return codes["values"].Invalid("at least one value is required");
            if (codes["operator"].Text == "In" && codes["values"].Items.Any(value => value.Number == 0))
                yield return codes["values"].Invalid("must not be 0 for the In operator");
            if (rule["action"].Text == "FailIndex" && !spec["backoffLimitPerIndex"].Exists)
                yield return rule["action"].Invalid("requires the backoffLimitPerIndex to be set");
            if (codes["containerName"].Text is { } name
                && !spec["template"]["spec"]["containers"].Items.Concat(spec["template"]["spec"]["initContainers"].Items).Any(container => container["name"].Text == name))
                yield return codes["containerName"].Invalid("must be one of the container or initContainer names in the pod template");
        }
    }

    private static IEnumerable<FieldError> SuccessPolicy(Field spec)
    {
        foreach (var rule in spec["successPolicy"]["rules"].Items)
        {
            if (!rule["succeededIndexes"].Exists && !rule["succeededCount"].Exists)
                yield return rule.Required("at least one of succeededCount or succeededIndexes must be specified");
            if (rule["succeededCount"].Number is { } count && (count < 1 || count > (spec["completions"].Number ?? 0)))
                yield return rule["succeededCount"].Invalid("must be at least 1, and not greater than the completions");
        }
    }
}
