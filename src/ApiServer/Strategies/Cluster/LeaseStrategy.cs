using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

internal sealed class LeaseStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        if (spec["leaseDurationSeconds"].Number <= 0)
            yield return spec["leaseDurationSeconds"].Invalid("must be greater than 0");
        foreach (var error in Rules.AtLeastZero(spec["leaseTransitions"]))
            yield return error;
    }
}
