using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Api.Shutdown;
using Weft.Node.Pods;

namespace Weft.Node.Shutdown;

/// <summary>Pods that end at the same time.</summary>
/// <param name="Period">The next group is not kept waiting for longer.</param>
internal sealed record ShutdownGroup(TimeSpan Period, ImmutableArray<ShutdownPod> Pods);

/// <param name="Grace">What its containers get: their own, but not more than the group has.</param>
internal sealed record ShutdownPod(string Uid, TimeSpan Grace);

/// <summary>Who ends when, as the kubelet shares it out. Pure.</summary>
internal static class ShutdownPlanner
{
    /// <returns>Groups of ascending priority; those without pods are left out, so that they take no time.</returns>
    public static ImmutableArray<ShutdownGroup> Plan(IReadOnlyList<Pod> pods, ImmutableArray<PriorityPeriod> periods)
    {
        var ordered = periods.Sort((a, b) => a.Priority.CompareTo(b.Priority));
        if (ordered.IsEmpty)
            return [];
        return
        [
            .. from pod in pods
               where !PodShape.IsTerminal(pod)
               group pod by PeriodOf(pod.Spec.Priority ?? 0) into together
               orderby together.Key
               let period = TimeSpan.FromSeconds(ordered[together.Key].Seconds)
               select new ShutdownGroup(period, [.. together.OrderBy(p => p.Metadata.Uid, StringComparer.Ordinal).Select(p => new ShutdownPod(p.Metadata.Uid!, Least(PodShape.Grace(p), period)))]),
        ];

        // The highest priority that the pod has at least; a pod below all of them goes with the first.
        int PeriodOf(int priority)
        {
            var found = 0;
            for (var i = 1; i < ordered.Length && ordered[i].Priority <= priority; i++)
                found = i;
            return found;
        }
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
