using System.Collections.Immutable;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <param name="Create">Pods to add.</param>
/// <param name="Delete">Pods to take away, in this order.</param>
public sealed record ReplicaSetPlan(int Create, ImmutableArray<Pod> Delete)
{
    public static readonly ReplicaSetPlan Nothing = new(0, []);
}

/// <summary>How many pods to add, or which to take away.</summary>
public static class ReplicaSetPlanner
{
    // As Kubernetes: one key does not hog the server when somebody asks for 100,000 pods; the next look goes on.
    private const int BurstLimit = 500;

    /// <param name="pods">All pods that the set owns.</param>
    /// <param name="siblings">Active pods of the same Deployment (or of this set): a scale-down evens them out over the nodes.</param>
    public static ReplicaSetPlan Plan(ReplicaSet set, IReadOnlyList<Pod> pods, IReadOnlyList<Pod> siblings, DateTimeOffset now)
    {
        if (set.IsTerminating())
            return ReplicaSetPlan.Nothing;
        var active = pods.Where(pod => pod.IsActive()).ToList();
        var missing = (set.Spec.Replicas ?? 1) - active.Count;
        if (missing >= 0)
            return new ReplicaSetPlan(Math.Min(missing, BurstLimit), []);

        var byNode = siblings.Where(pod => pod.IsActive()).GroupBy(pod => pod.Spec.NodeName ?? "").ToDictionary(group => group.Key, group => group.Count());
        return new ReplicaSetPlan(0, [.. active.Order(new DeletionRank(byNode, now)).Take(Math.Min(-missing, BurstLimit))]);
    }
}
