using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;

namespace Weft.Control.Scheduling.Model;

/// <summary>
/// Nodes and placed pods as they are, plus what was just decided: a placement counts from the moment of the decision (assumed), before the API server
/// has it, or the next decision would give the same room away twice. It stays until the watch confirms it or the write has failed.
/// Changes return what they mean for waiting pods.
/// </summary>
internal sealed class ClusterCache(ResourceNames resources) : IReservePlugin
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Placement> _placed = [];
    private readonly Dictionary<string, Dictionary<string, PodInfo>> _strays = []; // on nodes that are not known (yet)
    private ClusterSnapshot _snapshot = ClusterSnapshot.Empty;

    public string Name => "AssumeCache";

    public ClusterSnapshot Snapshot => Volatile.Read(ref _snapshot);

    /// <summary>Placed by a decision that the watch has not confirmed yet.</summary>
    public bool IsAssumed(string uid)
    {
        lock (_gate)
            return _placed.TryGetValue(uid, out var placement) && placement.Assumed;
    }

    public ClusterEvents SetNode(Node node)
    {
        lock (_gate)
        {
            var name = node.Metadata.Name ?? "";
            if (_snapshot.Find(name) is { } known)
            {
                var next = known.Become(node);
                Publish(_snapshot.With(next));
                return Difference(known, next);
            }

            var info = new NodeInfo(node, resources);
            if (_strays.Remove(name, out var strays))
            {
                foreach (var pod in strays.Values)
                    info = info.With(pod);
            }

            Publish(_snapshot.With(info));
            return ClusterEvents.NodeAdded;
        }
    }

    public ClusterEvents RemoveNode(string name)
    {
        lock (_gate)
        {
            if (_snapshot.Find(name) is not { } node)
                return ClusterEvents.None;
            // Its pods are still there until they are deleted, and count again should the node come back.
            if (node.Pods.Length > 0)
                _strays[name] = node.Pods.ToDictionary(pod => pod.Uid);
            Publish(_snapshot.Without(name));
            return ClusterEvents.PodRemoved; // pods that kept others away by (anti-)affinity no longer count
        }
    }

    /// <summary>A pod that has a node, as the watch tells. Confirms an assumed one.</summary>
    public ClusterEvents SetPod(PodInfo pod, string node)
    {
        lock (_gate)
        {
            if (_placed.TryGetValue(pod.Uid, out var known))
            {
                if (known.Node == node && SameToOthers(known.Pod, pod))
                {
                    if (known.Assumed)
                        _placed[pod.Uid] = known with { Assumed = false };
                    return ClusterEvents.None;
                }

                Take(known);
            }

            Place(new Placement(pod, node, Assumed: false));
            return ClusterEvents.PodPlaced | (known is null ? ClusterEvents.None : ClusterEvents.PodRemoved);
        }
    }

    /// <summary>The pod is gone or has ended.</summary>
    public ClusterEvents RemovePod(string uid)
    {
        lock (_gate)
        {
            if (!_placed.TryGetValue(uid, out var placement))
                return ClusterEvents.None;
            Take(placement);
            return ClusterEvents.PodRemoved;
        }
    }

    public ClusterEvents SetNamespace(string name, IReadOnlyDictionary<string, string>? labels)
    {
        lock (_gate)
            Publish(_snapshot.WithNamespace(name, labels));
        return ClusterEvents.NamespaceChanged;
    }

    public ClusterEvents ChangeVolumes(Func<VolumeFacts, VolumeFacts> change)
    {
        lock (_gate)
            Publish(_snapshot.WithVolumes(change(_snapshot.Volumes)));
        return ClusterEvents.VolumesChanged;
    }

    public void Reserve(PodInfo pod, string node)
    {
        lock (_gate)
        {
            if (!_placed.ContainsKey(pod.Uid))
                Place(new Placement(pod, node, Assumed: true));
        }
    }

    public void Unreserve(PodInfo pod)
    {
        lock (_gate)
        {
            if (_placed.TryGetValue(pod.Uid, out var placement) && placement.Assumed)
                Take(placement);
        }
    }

    private void Place(Placement placement)
    {
        _placed[placement.Pod.Uid] = placement;
        if (_snapshot.Find(placement.Node) is { } node)
        {
            Publish(_snapshot.With(node.With(placement.Pod)));
            return;
        }

        if (!_strays.TryGetValue(placement.Node, out var strays))
            _strays[placement.Node] = strays = [];
        strays[placement.Pod.Uid] = placement.Pod;
    }

    private void Take(Placement placement)
    {
        _placed.Remove(placement.Pod.Uid);
        if (_snapshot.Find(placement.Node) is { } node)
            Publish(_snapshot.With(node.Without(placement.Pod.Uid)));
        else if (_strays.TryGetValue(placement.Node, out var strays) && strays.Remove(placement.Pod.Uid) && strays.Count == 0)
            _strays.Remove(placement.Node);
    }

    private void Publish(ClusterSnapshot snapshot) => Volatile.Write(ref _snapshot, snapshot);

    private static ClusterEvents Difference(NodeInfo old, NodeInfo @new)
    {
        var events = ClusterEvents.None;
        if (!old.Allocatable.AsSpan().SequenceEqual(@new.Allocatable))
            events |= ClusterEvents.NodeAllocatableChanged;
        if (old.Labels.Count != @new.Labels.Count || old.Labels.Except(@new.Labels).Any())
            events |= ClusterEvents.NodeLabelsChanged;
        if (old.Unschedulable != @new.Unschedulable
            || !old.HardTaints.Select(Text).SequenceEqual(@new.HardTaints.Select(Text), StringComparer.Ordinal))
            events |= ClusterEvents.NodeTaintsChanged;
        return events;

        static string Text(TaintInfo taint) => $"{taint.Key}={taint.Value}:{taint.Effect}";
    }

    // A running pod's status changes often, and mostly means nothing to the placement of others.
    private static bool SameToOthers(PodInfo old, PodInfo @new) =>
        old.Pod.Metadata.Generation == @new.Pod.Metadata.Generation
        && old.Cpu == @new.Cpu && old.Memory == @new.Memory && old.EphemeralStorage == @new.EphemeralStorage
        && old.Pod.Metadata.DeletionTimestamp is null == @new.Pod.Metadata.DeletionTimestamp is null
        && old.Labels.Count == @new.Labels.Count && !old.Labels.Except(@new.Labels).Any();

    private sealed record Placement(PodInfo Pod, string Node, bool Assumed);
}
