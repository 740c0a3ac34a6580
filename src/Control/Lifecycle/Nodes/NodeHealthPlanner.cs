using Weft.Api.Core;

namespace Weft.Control.Lifecycle;

/// <summary>What a silent node's conditions should say.</summary>
internal static class NodeHealthPlanner
{
    private static readonly string[] Judged = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

    public static bool IsSilent(Node node, TimeSpan silentFor, NodeGrace grace) => silentFor > (HasSpoken(node) ? grace.Running : grace.Starting);

    public static TimeSpan UntilSilent(Node node, TimeSpan silentFor, NodeGrace grace) => (HasSpoken(node) ? grace.Running : grace.Starting) - silentFor;

    public static IReadOnlyList<NodeCondition> Plan(Node node, bool silent, DateTimeOffset now)
    {
        if (!silent)
            return node.Status.Conditions;
        var result = node.Status.Conditions.ToList();
        foreach (var type in Judged)
        {
            var index = result.FindIndex(condition => condition.Type == type);
            if (index < 0)
            {
                result.Add(new NodeCondition
                {
                    Type = type, Status = "Unknown", Reason = "NodeStatusNeverUpdated", Message = "Kubelet never posted node status.", LastTransitionTime = now,
                });
            }
            else if (result[index].Status != "Unknown")
            {
                result[index] = result[index] with
                {
                    Status = "Unknown", Reason = "NodeStatusUnknown", Message = "Kubelet stopped posting node status.", LastTransitionTime = now,
                };
            }
        }

        return result;
    }

    private static bool HasSpoken(Node node) => node.Status.Conditions.Any(condition => condition.Type == "Ready");
}
