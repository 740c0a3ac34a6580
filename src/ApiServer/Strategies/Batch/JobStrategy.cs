using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.Workloads;

namespace Weft.ApiServer.Strategies.Batch;

internal sealed class JobStrategy : DefaultStrategy
{
    private const string Prefix = "batch.kubernetes.io/";

    public override void Default(JsonObject tree)
    {
        if (tree.Ensure("spec") is { } spec)
            JobSpecRules.Default(spec);
    }

    public override void PrepareForCreate(JsonObject tree, StrategyContext context)
    {
        base.PrepareForCreate(tree, context);
        if (tree.Object("spec") is not { } spec || spec.FlagAt("manualSelector") || spec.Object("template") is not { } template)
            return;
        // The job's own uid makes its pods its own; the labels without prefix are those of older clients.
        var uid = tree.TextAt("metadata", "uid");
        var name = tree.TextAt("metadata", "name");
        if (uid.Length == 0 || template.Ensure("metadata")?.Ensure("labels") is not { } labels)
            return;
        foreach (var (key, value) in ((string, string)[])[("controller-uid", uid), ("job-name", name), (Prefix + "controller-uid", uid), (Prefix + "job-name", name)])
            labels[key] = value;
        spec["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { [Prefix + "controller-uid"] = uid } };
    }

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => WorkloadSpec.Warnings(tree, old);

    // The name is a label of the pods.
    protected override string? NameRule(string name) => NameRules.DnsSubdomain(name) ?? (name.Length > 63 ? NameRules.TooLong(63) : null);

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            yield break;
        var spec = root["spec"];
        foreach (var error in JobSpecRules.Validate(spec).Concat(SelectorRules.Validate(spec["selector"])))
            yield return error;
        if (spec["selector"].Exists && !SelectorRules.Matches(spec["selector"], spec["template"]["metadata"]["labels"]))
            yield return spec["template"]["metadata"]["labels"].Invalid("`selector` does not match template `labels`");
        if (old is not { } before)
            yield break;

        var was = before["spec"];
        foreach (var name in (string[])["selector", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex"])
        {
            if (!spec[name].Value.SameAs(was[name].Value))
                yield return spec[name].Invalid("field is immutable");
        }
        // An indexed job may change size when all its pods keep running at the same time.
        var elastic = spec["completionMode"].Text == "Indexed" && spec["completions"].Number == spec["parallelism"].Number;
        if (!spec["completions"].Value.SameAs(was["completions"].Value) && !elastic)
            yield return spec["completions"].Invalid("field is immutable");
        if (!Placement(spec, was).SameAs(was["template"].Value))
            yield return spec["template"].Invalid("field is immutable");
    }

    // Until it has started, a suspended job may still be sent elsewhere: queues do that.
    private static JsonNode? Placement(Field spec, Field was)
    {
        var template = spec["template"].Value?.DeepClone();
        if (!was["suspend"].IsTrue || template is not JsonObject now || was["template"].Value is not JsonObject before)
            return template;
        if (now["spec"] is JsonObject pod && before["spec"] is JsonObject old)
        {
            foreach (var name in (string[])["nodeSelector", "tolerations", "affinity", "schedulingGates"])
                pod.TakeFrom(old, name);
        }
        now.TakeFrom(before, "metadata");
        return now;
    }
}
