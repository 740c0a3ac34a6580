using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.Workloads;

namespace Weft.ApiServer.Strategies.Policy;

internal sealed class PodDisruptionBudgetStrategy : DefaultStrategy
{
    protected override JsonObject InitialStatus(JsonObject tree) => new()
    {
        ["disruptionsAllowed"] = 0, ["currentHealthy"] = 0, ["desiredHealthy"] = 0, ["expectedPods"] = 0,
    };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            yield break;
        var spec = root["spec"];
        if (spec["minAvailable"].Exists && spec["maxUnavailable"].Exists)
            yield return spec.Invalid("minAvailable and maxUnavailable cannot be both set");
        foreach (var error in Amounts.Validate(spec["minAvailable"]).Concat(Amounts.Validate(spec["maxUnavailable"])).Concat(SelectorRules.Validate(spec["selector"])))
            yield return error;
    }
}
