using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Pods;

internal sealed class PodStrategy : DefaultStrategy
{
    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = new Dictionary<string, Func<JsonObject, string>>
    {
        ["spec.nodeName"] = pod => pod.TextAt("spec", "nodeName"),
        ["spec.restartPolicy"] = pod => pod.TextAt("spec", "restartPolicy"),
        ["spec.schedulerName"] = pod => pod.TextAt("spec", "schedulerName"),
        ["spec.serviceAccountName"] = pod => pod.TextAt("spec", "serviceAccountName"),
        ["spec.hostNetwork"] = pod => pod.Object("spec").FlagAt("hostNetwork") ? "true" : "false",
        ["status.phase"] = pod => pod.TextAt("status", "phase"),
        ["status.podIP"] = pod => pod.TextAt("status", "podIP"),
        ["status.nominatedNodeName"] = pod => pod.TextAt("status", "nominatedNodeName"),
    }.ToFrozenDictionary();

    public override void Default(JsonObject tree)
    {
        if (tree.Ensure("spec") is not { } spec)
            return;
        PodDefaults.Spec(spec);
        PodDefaults.Pod(spec);
    }

    public override void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context)
    {
        switch (context.Subresource)
        {
            case "status":
                KeepAllBut("status", tree, old);
                tree.Object("status")?.TakeFrom(old.Object("status") ?? [], "qosClass");
                break;
            case "ephemeralcontainers":
                var written = tree.Object("spec")?.DeepClone().AsObject() ?? [];
                KeepAllBut("", tree, old);
                tree.Object("spec")?.TakeFrom(written, "ephemeralContainers");
                break;
            default:
                // Binding goes with a condition, which its caller has set.
                if (context.Subresource != "binding")
                    tree.TakeFrom(old, "status");
                break;
        }
    }

    public override long? GracePeriodSeconds(JsonObject tree, long? requested)
    {
        // Nothing runs yet, or no more: there is nobody to wait for.
        if (tree.TextAt("spec", "nodeName").Length == 0 || tree.TextAt("status", "phase") is "Succeeded" or "Failed")
            return null;
        var seconds = requested ?? tree.Object("spec").NumberAt("terminationGracePeriodSeconds") ?? 30;
        return seconds switch { 0 => null, < 0 => 1, _ => seconds };
    }

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old)
    {
        if (old is null && tree.TextAt("metadata", "name") is { Length: > 0 } name && NameRules.DnsLabel(name) is { } wrong)
            yield return $"metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [{wrong}]";
        // Not with every report of a node on the pod's state.
        if (old is not null && tree["spec"].SameAs(old["spec"]))
            yield break;
        foreach (var warning in PodWarnings.Of(Field.Root(tree)["spec"]))
            yield return warning;
    }

    protected override JsonObject InitialStatus(JsonObject tree)
    {
        var spec = Field.Root(tree)["spec"];
        var status = new JsonObject { ["phase"] = "Pending", ["qosClass"] = ResourceValidation.QosClass(spec) };
        if (spec["schedulingGates"].Count > 0)
        {
            status["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "PodScheduled", ["status"] = "False", ["reason"] = "SchedulingGated",
                ["message"] = "Scheduling is blocked due to non-empty scheduling gates",
            });
        }
        return status;
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        if (context.Subresource is "status" or "binding" && old is { } bound)
            return context.Subresource == "binding" ? PodUpdate.Validate(spec, bound["spec"], "binding") : [];
        if (old is not { } before)
            return PodSpecValidation.Validate(spec).Concat(Create(spec));
        if (context.Subresource == "ephemeralcontainers")
            return PodUpdate.EphemeralContainers(spec["ephemeralContainers"], before["spec"]["ephemeralContainers"]).Concat(PodSpecValidation.Validate(spec));
        // Only what can change needs checking again; and an object that older rules let in must stay writable.
        var errors = spec.Value.SameAs(before["spec"].Value) ? [] : PodUpdate.Validate(spec, before["spec"], "");
        return errors.Concat(spec.Value.SameAs(before["spec"].Value) ? [] : PodSpecValidation.Validate(spec));
    }

    private static IEnumerable<FieldError> Create(Field spec)
    {
        if (spec["schedulingGates"].Count > 0 && spec["nodeName"].TextOrEmpty.Length > 0)
            yield return spec["nodeName"].Forbidden("cannot be set until all schedulingGates have been cleared");
        if (spec["ephemeralContainers"].Count > 0)
            yield return spec["ephemeralContainers"].Forbidden("cannot be set on create");
    }
}
