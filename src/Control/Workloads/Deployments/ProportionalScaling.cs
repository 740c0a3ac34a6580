using Weft.Api.Apps;

namespace Weft.Control.Workloads;

/// <summary>
/// Shares a change of a Deployment's size out among the sets of a rollout in flight, in proportion to their sizes: a scale-up while a new
/// version is broken must not put all new pods on it.
/// </summary>
internal static class ProportionalScaling
{
    /// <param name="active">Sets with pods.</param>
    /// <param name="statusReplicas">The Deployment's pods as last counted; for sets that carry no note of the size before.</param>
    /// <returns>The new size of each.</returns>
    public static IReadOnlyList<(ReplicaSet Set, int Replicas)> Plan(IReadOnlyList<ReplicaSet> active, RolloutLimits limits, int statusReplicas)
    {
        var allowed = limits.Desired > 0 ? limits.MaxTotal : 0;
        var toAdd = allowed - active.Sum(Size);

        // The largest takes part first, and what rounding leaves; among equals the newest grows first and the oldest shrinks first.
        var ordered = toAdd > 0
            ? active.OrderByDescending(Size).ThenByDescending(set => set.Metadata.CreationTimestamp).ThenBy(set => set.Metadata.Name, StringComparer.Ordinal)
            : active.OrderByDescending(Size).ThenBy(set => set.Metadata.CreationTimestamp).ThenBy(set => set.Metadata.Name, StringComparer.Ordinal);

        var result = new List<(ReplicaSet Set, int Replicas)>();
        var added = 0;
        foreach (var set in ordered)
        {
            var share = Share(set, limits, toAdd, added, statusReplicas);
            result.Add((set, Size(set) + share));
            added += share;
        }

        if (toAdd != 0 && result.Count > 0)
            result[0] = (result[0].Set, Math.Max(0, result[0].Replicas + toAdd - added));
        return result;
    }

    private static int Share(ReplicaSet set, RolloutLimits limits, int toAdd, int added, int statusReplicas)
    {
        if (Size(set) == 0 || toAdd == 0 || toAdd == added)
            return 0;
        var left = toAdd - added;
        var fraction = Fraction(set, limits, statusReplicas);
        return toAdd > 0 ? Math.Min(fraction, left) : Math.Max(fraction, left);
    }

    private static int Fraction(ReplicaSet set, RolloutLimits limits, int statusReplicas)
    {
        if (limits.Desired == 0)
            return -Size(set);
        var before = RevisionAnnotations.Number(set.Metadata.Annotations.GetValueOrDefault(RevisionAnnotations.MaxReplicas)) ?? 0;
        if (before == 0)
            before = statusReplicas;
        if (before == 0)
            return 0;
        return (int)Math.Round((double)Size(set) * limits.MaxTotal / before, MidpointRounding.AwayFromZero) - Size(set);
    }

    private static int Size(ReplicaSet set) => set.Spec.Replicas ?? 1;
}
