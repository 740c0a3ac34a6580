using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Why pods could not be made or taken away.</summary>
/// <param name="Reason">FailedCreate or FailedDelete.</param>
public sealed record ReplicaFailure(string Reason, string Message);

/// <summary>What a set's status should say of its pods.</summary>
public static class ReplicaSetStatusPlanner
{
    /// <summary>The status, and after how long it changes by itself: when the next ready pod becomes available.</summary>
    public static (ReplicaSetStatus Status, TimeSpan? ChangesIn) Plan(
        ReplicaSet set, IReadOnlyList<Pod> pods, ReplicaFailure? failure, DateTimeOffset now)
    {
        var minReady = set.Spec.MinReadySeconds ?? 0;
        var active = pods.Where(pod => pod.IsActive()).ToList();
        var templateLabels = set.Spec.Template?.Metadata.Labels ?? new Dictionary<string, string>();
        var status = new ReplicaSetStatus
        {
            Replicas = active.Count,
            FullyLabeledReplicas = OrAbsent(active.Count(pod => templateLabels.All(label => pod.Metadata.Labels.GetValueOrDefault(label.Key) == label.Value))),
            ReadyReplicas = OrAbsent(active.Count(pod => pod.IsReady())),
            AvailableReplicas = OrAbsent(active.Count(pod => pod.IsAvailable(minReady, now))),
            TerminatingReplicas = OrAbsent(pods.Count(pod => pod.IsTerminating() && !pod.IsFinished())),
            ObservedGeneration = set.Metadata.Generation,
            Conditions = Conditions(set, failure, now),
        };

        TimeSpan? changesIn = null;
        foreach (var pod in active.Where(pod => pod.IsReady() && !pod.IsAvailable(minReady, now)))
        {
            var left = pod.ReadySince()!.Value.AddSeconds(minReady) - now;
            changesIn = changesIn is { } sooner && sooner < left ? sooner : left;
        }

        return (status, changesIn);
    }

    private static IReadOnlyList<ReplicaSetCondition> Conditions(ReplicaSet set, ReplicaFailure? failure, DateTimeOffset now)
    {
        var others = set.Status.Conditions.Where(condition => condition.Type != "ReplicaFailure");
        if (failure is null)
            return [.. others];
        var before = set.Status.Conditions.FirstOrDefault(condition => condition.Type == "ReplicaFailure");
        return
        [
            .. others,
            // The first message stays while the failure lasts: messages with changing names would rewrite the status for ever.
            before is not null && before.Reason == failure.Reason
                ? before
                : new ReplicaSetCondition
                {
                    Type = "ReplicaFailure", Status = "True", Reason = failure.Reason, Message = failure.Message, LastTransitionTime = now,
                },
        ];
    }

    // Kubernetes leaves these counters out when they are zero.
    private static int? OrAbsent(int count) => count == 0 ? null : count;
}
