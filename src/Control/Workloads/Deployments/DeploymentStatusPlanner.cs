using Weft.Api.Apps;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Kubernetes' reasons of a Deployment's conditions; `kubectl rollout status` reads some of them.</summary>
internal static class Reasons
{
    public const string Paused = "DeploymentPaused";
    public const string Resumed = "DeploymentResumed";
    public const string NewSetCreated = "NewReplicaSetCreated";
    public const string FoundNewSet = "FoundNewReplicaSet";
    public const string SetCreateError = "ReplicaSetCreateError";
    public const string SetUpdated = "ReplicaSetUpdated";
    public const string NewSetAvailable = "NewReplicaSetAvailable";
    public const string DeadlineExceeded = "ProgressDeadlineExceeded";
    public const string MinimumAvailable = "MinimumReplicasAvailable";
    public const string MinimumUnavailable = "MinimumReplicasUnavailable";
}

/// <summary>What a Deployment's status should say.</summary>
internal static class DeploymentStatusPlanner
{
    public static bool HasDeadline(Deployment deployment) => deployment.Spec.ProgressDeadlineSeconds is { } seconds && seconds != int.MaxValue;

    public static DeploymentStatus Count(Rollout rollout)
    {
        var deployment = rollout.Deployment;
        var available = rollout.All.Sum(set => set.Status.AvailableReplicas ?? 0);
        return new DeploymentStatus
        {
            ObservedGeneration = deployment.Metadata.Generation,
            Replicas = OrAbsent(rollout.All.Sum(set => set.Status.Replicas)),
            UpdatedReplicas = OrAbsent(rollout.New?.Status.Replicas ?? 0),
            ReadyReplicas = OrAbsent(rollout.All.Sum(set => set.Status.ReadyReplicas ?? 0)),
            AvailableReplicas = OrAbsent(available),
            UnavailableReplicas = OrAbsent(Math.Max(0, rollout.All.Sum(Rollout.Size) - available)),
            TerminatingReplicas = OrAbsent(rollout.All.Sum(set => set.Status.TerminatingReplicas ?? 0)),
            CollisionCount = deployment.Status.CollisionCount,
        };
    }

    /// <summary>Every pod is of the current template, and available.</summary>
    public static bool IsComplete(Deployment deployment, DeploymentStatus status)
    {
        var desired = deployment.Spec.Replicas ?? 1;
        return (status.UpdatedReplicas ?? 0) == desired && (status.Replicas ?? 0) == desired && (status.AvailableReplicas ?? 0) == desired
            && (status.ObservedGeneration ?? 0) >= (deployment.Metadata.Generation ?? 0);
    }

    /// <param name="progress">Whether this look was part of a rollout: then it decides on Progressing.</param>
    public static (DeploymentStatus Status, TimeSpan? LookAgainIn) Plan(Rollout rollout, ConditionSet conditions, bool progress, DateTimeOffset now)
    {
        var deployment = rollout.Deployment;
        var status = Count(rollout);
        if ((status.AvailableReplicas ?? 0) >= rollout.Limits.MinAvailable)
            conditions.Set("Available", "True", Reasons.MinimumAvailable, "Deployment has minimum availability.");
        else
            conditions.Set("Available", "False", Reasons.MinimumUnavailable, "Deployment does not have minimum availability.");

        if (progress)
        {
            if (HasDeadline(deployment))
                JudgeProgress(rollout, status, conditions, now);
            else
                conditions.Remove("Progressing");
        }

        // The new set's failure tells more than an old one's.
        var failure = Failure(rollout.New) ?? rollout.Old.Select(Failure).FirstOrDefault(found => found is not null);
        if (failure is not null)
            conditions.Set("ReplicaFailure", failure.Status, failure.Reason ?? "", failure.Message ?? "");
        else
            conditions.Remove("ReplicaFailure");

        status = status with { Conditions = conditions.All };
        return (status, progress ? UntilDeadline(deployment, status, now) : null);
    }

    private static void JudgeProgress(Rollout rollout, DeploymentStatus status, ConditionSet conditions, DateTimeOffset now)
    {
        var deployment = rollout.Deployment;
        var current = conditions.Find("Progressing");
        if ((status.Replicas ?? 0) == (status.UpdatedReplicas ?? 0) && current?.Reason == Reasons.NewSetAvailable)
            return; // over since long: pods that fail now are no failed rollout

        var what = rollout.New is { } set ? $"ReplicaSet \"{set.Metadata.Name}\"" : $"Deployment \"{deployment.Metadata.Name}\"";
        if (IsComplete(deployment, status))
            conditions.Set("Progressing", "True", Reasons.NewSetAvailable, $"{what} has successfully progressed.");
        else if (Advanced(deployment.Status, status))
            conditions.Touch("Progressing", Reasons.SetUpdated, $"{what} is progressing.");
        else if (TimedOut(deployment, current, now))
            conditions.Set("Progressing", "False", Reasons.DeadlineExceeded, $"{what} has timed out progressing.");
    }

    private static bool Advanced(DeploymentStatus before, DeploymentStatus after) =>
        (after.UpdatedReplicas ?? 0) > (before.UpdatedReplicas ?? 0)
        || (after.Replicas ?? 0) - (after.UpdatedReplicas ?? 0) < (before.Replicas ?? 0) - (before.UpdatedReplicas ?? 0)
        || (after.ReadyReplicas ?? 0) > (before.ReadyReplicas ?? 0)
        || (after.AvailableReplicas ?? 0) > (before.AvailableReplicas ?? 0);

    private static bool TimedOut(Deployment deployment, DeploymentCondition? progressing, DateTimeOffset now) => progressing switch
    {
        null => false,
        { Reason: Reasons.NewSetAvailable } => false,
        { Reason: Reasons.DeadlineExceeded } => true,
        _ => (progressing.LastUpdateTime ?? now).AddSeconds(deployment.Spec.ProgressDeadlineSeconds!.Value) < now,
    };

    private static TimeSpan? UntilDeadline(Deployment deployment, DeploymentStatus status, DateTimeOffset now)
    {
        var progressing = status.Conditions.FirstOrDefault(condition => condition.Type == "Progressing");
        if (!HasDeadline(deployment) || progressing is null || IsComplete(deployment, status)
            || progressing.Reason is Reasons.DeadlineExceeded or Reasons.NewSetAvailable)
            return null;
        // A second more than exactly, as times have whole seconds.
        var left = (progressing.LastUpdateTime ?? now).AddSeconds(deployment.Spec.ProgressDeadlineSeconds!.Value + 1) - now;
        return left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
    }

    private static ReplicaSetCondition? Failure(ReplicaSet? set) => set?.Status.Conditions.FirstOrDefault(condition => condition.Type == "ReplicaFailure");

    // Kubernetes leaves these counters out when they are zero.
    private static int? OrAbsent(int count) => count == 0 ? null : count;
}
