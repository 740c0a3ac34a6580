using System.Collections.Immutable;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Preemption;

/// <summary>A pod for which room is being made.</summary>
internal sealed record Nomination(PodInfo Pod, string Node, ImmutableHashSet<string> Victims);

/// <summary>
/// Pods that wait for their victims to end. The room counts as theirs for all pods of the same and lower priority, or the next of these would take it. In
/// memory alone: a scheduler that starts anew finds the victims going, and waits for them (<see cref="MustWait"/>).
/// </summary>
internal sealed class Nominations
{
    private readonly Lock _gate = new();
    private ImmutableDictionary<string, Nomination> _all = ImmutableDictionary<string, Nomination>.Empty;

    public void Set(Nomination nomination)
    {
        lock (_gate)
            Volatile.Write(ref _all, _all.SetItem(nomination.Pod.Uid, nomination));
    }

    /// <summary>It has a node, is gone, or its room could not be made.</summary>
    public void Remove(string uid)
    {
        if (!Volatile.Read(ref _all).ContainsKey(uid))
            return;
        lock (_gate)
            Volatile.Write(ref _all, _all.Remove(uid));
    }

    /// <summary>The snapshot as it is for this pod: with what others have been promised.</summary>
    public ClusterSnapshot Over(ClusterSnapshot snapshot, PodInfo pod)
    {
        foreach (var nomination in Volatile.Read(ref _all).Values)
        {
            if (nomination.Pod.Uid != pod.Uid && nomination.Pod.Priority >= pod.Priority && snapshot.Find(nomination.Node) is { } node && !node.Has(nomination.Pod.Uid))
                snapshot = snapshot.With(node.With(nomination.Pod));
        }
        return snapshot;
    }

    /// <summary>Room is being made for it already: victims of its own still stand, or pods of lower priority are going where it was nominated.</summary>
    public bool MustWait(PodInfo pod, ClusterSnapshot snapshot)
    {
        if (Volatile.Read(ref _all).GetValueOrDefault(pod.Uid) is { } own && snapshot.Find(own.Node) is { } chosen && chosen.Pods.Any(other => own.Victims.Contains(other.Uid)))
            return true;
        return pod.Pod.Status.NominatedNodeName is { Length: > 0 } name && snapshot.Find(name) is { } node
            && node.Pods.Any(other => other.Priority < pod.Priority && other.Pod.Metadata.DeletionTimestamp is not null);
    }
}
