using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Istio;
using Weft.Client;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Runtime;

namespace Weft.Control.Mesh.Feed;

/// <summary>The pods as workloads of the mesh. A pod's status changes often, its workload seldom: one that is equal stays the same instance.</summary>
/// <param name="isOn">Of the cluster: false, and no pod is in the mesh.</param>
internal sealed class WorkloadList(ObjectCache<Pod> pods, ObjectCache<Node> nodes, ObjectCache<Namespace> namespaces, bool isOn, Action changed) : IDisposable
{
    private Dictionary<ObjectKey, (Pod Pod, MeshWorkload? Workload)> _known = [];
    private readonly List<IDisposable> _subscriptions = [];
    private ImmutableArray<MeshWorkload> _current = [];
    private int _isDirty = 1;
    private int _isAllNew = 1;

    public void Follow()
    {
        _subscriptions.Add(pods.Subscribe(_ => Mark(ref _isDirty)));
        // Nodes say every few seconds how they are; only their places, whether they have a mesh, and a namespace's words count.
        _subscriptions.Add(nodes.Subscribe(change => MarkAll(change.Old is null || change.New is null || NodePlace.Of(change.Old) != NodePlace.Of(change.New) || MeshMembership.Captures(change.Old) != MeshMembership.Captures(change.New))));
        _subscriptions.Add(namespaces.Subscribe(change => MarkAll(change.Old is null || change.New is null || !ObjectList<Namespace>.SameWords(change.Old.Metadata.Labels, change.New.Metadata.Labels))));
    }

    public ImmutableArray<MeshWorkload> Read()
    {
        var isAllNew = Interlocked.Exchange(ref _isAllNew, 0) != 0;
        if (Interlocked.Exchange(ref _isDirty, 0) == 0 && !isAllNew)
            return _current;
        var isNew = false;
        var next = new Dictionary<ObjectKey, (Pod, MeshWorkload?)>(_known.Count);
        foreach (var pod in pods.All())
        {
            var key = pod.Key();
            _known.TryGetValue(key, out var known);
            var workload = ReferenceEquals(known.Pod, pod) && !isAllNew ? known.Workload : Workload(pod);
            if (workload is not null && workload.Equals(known.Workload))
                workload = known.Workload;
            isNew |= !ReferenceEquals(workload, known.Workload);
            next[key] = (pod, workload);
        }

        isNew |= _known.Any(pair => pair.Value.Workload is not null && !next.ContainsKey(pair.Key));
        _known = next;
        if (isNew)
            _current = [.. next.Values.Select(pair => pair.Item2).OfType<MeshWorkload>()];
        return _current;
    }

    private MeshWorkload? Workload(Pod pod)
    {
        var node = pod.Spec.NodeName is { Length: > 0 } name ? nodes.Find(new("", name)) : null;
        // Who is not captured has nobody who speaks for it, whatever the pod and the cluster say.
        var isMeshed = node is not null && MeshMembership.Captures(node) && MeshMembership.IsMeshed(pod, namespaces.Find(new("", pod.Metadata.Namespace ?? "")), isOn);
        return MeshWorkload.Of(pod, node is null ? default : NodePlace.Of(node).Locality, isMeshed);
    }

    private void MarkAll(bool isOther)
    {
        if (isOther)
            Mark(ref _isAllNew);
    }

    private void Mark(ref int flag)
    {
        Volatile.Write(ref flag, 1);
        changed();
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }
}
