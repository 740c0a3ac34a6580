using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Workloads;

internal sealed class ControllerRevisionStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (!root["data"].Exists)
            yield return root["data"].Required("data is mandatory");
        else if (old is { } before && !root["data"].Value.SameAs(before["data"].Value))
            yield return root["data"].Invalid("field is immutable");
        foreach (var error in Rules.AtLeastZero(root["revision"]))
            yield return error;
    }
}
