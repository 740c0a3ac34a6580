using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Lifecycle;

/// <summary>Pods that no node will ever clean up.</summary>
internal static class PodGarbagePlanner
{
    // kube-controller-manager's --terminated-pod-gc-threshold.
    public const int MaxFinished = 12_500;

    /// <summary>Finished pods beyond the limit, the oldest first.</summary>
    public static ImmutableArray<Pod> Superfluous(IReadOnlyList<Pod> pods, int limit = MaxFinished)
    {
        var finished = pods.Where(pod => pod.IsFinished() && !pod.IsTerminating()).ToList();
        return finished.Count <= limit
            ? []
            : [.. finished.OrderBy(pod => pod.Metadata.CreationTimestamp).ThenBy(pod => pod.Metadata.Name, StringComparer.Ordinal).Take(finished.Count - limit)];
    }

    /// <summary>Deleted before they had a node: there is nobody to stop them.</summary>
    public static ImmutableArray<Pod> NeverPlaced(IReadOnlyList<Pod> pods) => [.. pods.Where(pod => pod.IsTerminating() && !pod.IsScheduled())];
}
