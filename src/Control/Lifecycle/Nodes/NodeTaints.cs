using System.Collections.Immutable;
using Weft.Api.Core;

namespace Weft.Control.Lifecycle;

/// <summary>Taints that follow from a node's conditions.</summary>
internal static class NodeTaints
{
    public const string NotReady = "node.kubernetes.io/not-ready";
    public const string Unreachable = "node.kubernetes.io/unreachable";
    private const string Unschedulable = "node.kubernetes.io/unschedulable";
    private const string NoSchedule = "NoSchedule";
    private const string NoExecute = "NoExecute";

    private static readonly ImmutableArray<(string Condition, string Key)> Pressures =
    [
        ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
        ("DiskPressure", "node.kubernetes.io/disk-pressure"),
        ("PIDPressure", "node.kubernetes.io/pid-pressure"),
        ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),
    ];

    /// <param name="evict">False while no other node is heard: then the fault is more likely ours, and nothing could take over.</param>
    /// <returns>The taints that the node should have; those of others stay as they are.</returns>
    public static IReadOnlyList<Taint> Plan(Node node, IReadOnlyList<NodeCondition> conditions, bool evict, DateTimeOffset now)
    {
        var wanted = new List<(string Key, string Effect)>();
        var ready = conditions.FirstOrDefault(condition => condition.Type == "Ready")?.Status;
        var silence = ready switch { "True" => null, "Unknown" => Unreachable, _ => NotReady };
        if (silence is not null)
        {
            wanted.Add((silence, NoSchedule));
            if (evict)
                wanted.Add((silence, NoExecute));
        }

        foreach (var (condition, key) in Pressures)
        {
            if (conditions.Any(candidate => candidate.Type == condition && candidate.Status == "True"))
                wanted.Add((key, NoSchedule));
        }

        if (node.Spec.Unschedulable == true)
            wanted.Add((Unschedulable, NoSchedule));

        var kept = node.Spec.Taints.Where(taint => !IsOurs(taint) || wanted.Contains((taint.Key, taint.Effect))).ToList();
        return
        [
            .. kept,
            .. wanted.Where(taint => !kept.Exists(there => there.Key == taint.Key && there.Effect == taint.Effect))
                .Select(taint => new Taint { Key = taint.Key, Effect = taint.Effect, TimeAdded = now }),
        ];
    }

    private static bool IsOurs(Taint taint) => taint.Effect switch
    {
        NoExecute => taint.Key is NotReady or Unreachable,
        NoSchedule => taint.Key is NotReady or Unreachable or Unschedulable || Pressures.Any(pressure => pressure.Key == taint.Key),
        _ => false,
    };
}
