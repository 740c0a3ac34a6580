using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.Pods;

namespace Weft.ApiServer.Strategies.Workloads;

internal sealed class DaemonSetStrategy : DefaultStrategy
{
    public override void Default(JsonObject tree)
    {
        if (tree.Ensure("spec") is not { } spec)
            return;
        if (spec.Object("template")?.Ensure("spec") is { } pod)
            PodDefaults.Spec(pod);
        spec.Default("revisionHistoryLimit", 10);
        if (spec.Ensure("updateStrategy") is not { } strategy)
            return;
        strategy.Default("type", "RollingUpdate");
        if (strategy.TextAt("type") != "RollingUpdate" || strategy.Ensure("rollingUpdate") is not { } rolling)
            return;
        rolling.Default("maxUnavailable", 1);
        rolling.Default("maxSurge", 0);
    }

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => WorkloadSpec.Warnings(tree, old);

    protected override JsonObject InitialStatus(JsonObject tree) => new()
    {
        ["currentNumberScheduled"] = 0, ["numberMisscheduled"] = 0, ["desiredNumberScheduled"] = 0, ["numberReady"] = 0,
    };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            yield break;
        var spec = root["spec"];
        var rolling = spec["updateStrategy"]["rollingUpdate"];
        foreach (var error in WorkloadSpec.Validate(spec, "daemonset")
            .Concat(Rules.AtLeastZero(spec["revisionHistoryLimit"]))
            .Concat(Amounts.Validate(rolling["maxUnavailable"]))
            .Concat(Amounts.Validate(rolling["maxSurge"])))
            yield return error;
        if (spec["updateStrategy"]["type"].Text != "RollingUpdate" || !rolling.Exists)
            yield break;
        var (missing, extra) = (Amounts.Of(rolling["maxUnavailable"]), Amounts.Of(rolling["maxSurge"]));
        if (missing == 0 && extra == 0)
            yield return rolling["maxUnavailable"].Required("cannot be 0 when maxSurge is 0");
        else if (missing != 0 && extra is not (null or 0))
            yield return rolling["maxSurge"].Invalid("may not be set when maxUnavailable is non-zero");
    }
}
