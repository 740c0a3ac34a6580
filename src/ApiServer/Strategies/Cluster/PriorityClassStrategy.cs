using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

internal sealed class PriorityClassStrategy : DefaultStrategy
{
    // Above it are only the two classes of the system itself.
    private const long HighestOfUsers = 1_000_000_000;

    private static readonly (string Name, long Value)[] System = [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

    public override bool Namespaced => false;
    public override bool HasStatus => false;

    public override void Default(JsonObject tree) => tree.Default("preemptionPolicy", "PreemptLowerPriority");

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var (name, value) = (root["metadata"]["name"], root["value"]);
        if (name.TextOrEmpty.StartsWith("system-", StringComparison.Ordinal))
        {
            if (!System.Contains((name.TextOrEmpty, value.Number ?? 0)))
                yield return name.Forbidden("priority class names with 'system-' prefix are reserved for system use only");
        }
        else if (value.Number > HighestOfUsers)
            yield return value.Forbidden($"maximum allowed value of a user defined priority is {HighestOfUsers}");
    }
}
