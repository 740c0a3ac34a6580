using Weft.Api.Apps;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>One look at a rolling update: the new set grows into the surge, old sets shrink as far as enough pods stay available.</summary>
internal static class RollingUpdate
{
    /// <summary>How large the new set may be now.</summary>
    public static int NewSize(Rollout rollout, int current)
    {
        var limits = rollout.Limits;
        if (RolloutLimits.IsRecreate(rollout.Deployment))
            return limits.Desired;
        var room = limits.MaxTotal - rollout.All.Sum(Rollout.Size);
        return room <= 0 ? current : current + Math.Min(room, limits.Desired - current);
    }

    /// <summary>The new set alone serves what is wanted.</summary>
    public static bool IsSaturated(Rollout rollout, ReplicaSet set) =>
        Rollout.Size(set) == rollout.Limits.Desired
        && RevisionAnnotations.Number(set.Annotation(RevisionAnnotations.DesiredReplicas)) == rollout.Limits.Desired
        && (set.Status.AvailableReplicas ?? 0) == rollout.Limits.Desired;

    public static void ScaleNew(Rollout rollout)
    {
        if (rollout.New is not { } current)
            return;
        var size = Rollout.Size(current);
        if (size > rollout.Limits.Desired)
            rollout.Scale(current, rollout.Limits.Desired);
        else if (size < rollout.Limits.Desired && NewSize(rollout, size) is var next && next != size)
            rollout.Scale(current, next);
    }

    public static void ScaleOld(Rollout rollout)
    {
        if (rollout.Old.Sum(Rollout.Size) == 0)
            return;
        // New pods that are not available yet count as missing: else a broken version would eat the working one.
        var newUnavailable = rollout.New is { } current ? Rollout.Size(current) - Available(current) : 0;
        var removable = rollout.All.Sum(Rollout.Size) - rollout.Limits.MinAvailable - newUnavailable;
        if (removable <= 0)
            return;
        RemoveUnhealthy(rollout, removable);
        RemoveAvailable(rollout);
    }

    // Old pods that serve nobody go first: a rollout that repairs a broken one need not wait for them.
    private static void RemoveUnhealthy(Rollout rollout, int removable)
    {
        foreach (var old in rollout.Old)
        {
            var unhealthy = Rollout.Size(old) - Available(old);
            var count = Math.Min(removable, unhealthy);
            if (count <= 0)
                continue;
            rollout.Scale(old, Rollout.Size(old) - count);
            removable -= count;
        }
    }

    private static void RemoveAvailable(Rollout rollout)
    {
        var removable = rollout.All.Sum(Available) - rollout.Limits.MinAvailable;
        foreach (var old in rollout.Old)
        {
            var count = Math.Min(removable, Rollout.Size(old));
            if (count <= 0)
                continue;
            rollout.Scale(old, Rollout.Size(old) - count);
            removable -= count;
        }
    }

    // A set that was just made smaller still reports the pods it is about to lose: they may not be counted on.
    private static int Available(ReplicaSet set) => Math.Min(set.Status.AvailableReplicas ?? 0, Rollout.Size(set));
}
