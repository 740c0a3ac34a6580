using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Scheduling.Model;
using Weft.Control.Scheduling.Plugins;
using Weft.Control.Scheduling.Queue;
using Weft.Control.Storage;

namespace Weft.Control.Scheduling;

/// <summary>
/// Pods that have a node and wait for their claims to be bound there. They keep their place on the node meanwhile. No thread waits: each change of a
/// claim lets the pods that wait look again.
/// </summary>
internal sealed class VolumeWaits(KubeClient client, TimeProvider time)
{
    // kube-scheduler's bindTimeoutSeconds.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (QueuedPod Pod, string Node, DateTimeOffset Since, bool Told)> _waiting = [];

    public int Count
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Tells the node to the claims that need one, and remembers the pod. False: there is nothing to wait for.</summary>
    public async Task<bool> BeginAsync(QueuedPod queued, string node, VolumeFacts facts, CancellationToken cancellationToken)
    {
        var unbound = VolumeBinding.Unbound(queued.Pod, facts).ToList();
        if (unbound.Count == 0)
            return false;
        lock (_gate)
            _waiting[queued.Pod.Uid] = (queued, node, time.GetUtcNow(), false);
        try
        {
            foreach (var claim in unbound.Where(claim => claim.Annotation(StorageNames.SelectedNode) != node))
            {
                var patch = new JsonObject
                {
                    ["metadata"] = new JsonObject { ["uid"] = claim.Metadata.Uid, ["annotations"] = new JsonObject { [StorageNames.SelectedNode] = node } },
                };
                await client.For<PersistentVolumeClaim>().PatchAsync(claim.Key(), Patch.Merge(patch), cancellationToken);
            }
        }
        catch
        {
            Forget(queued.Pod.Uid);
            throw;
        }
        return true;
    }

    public void Forget(string uid)
    {
        lock (_gate)
            _waiting.Remove(uid);
    }

    /// <summary>Those whose wait is over: Bound with all claims, or to be placed anew because a claim lost its node or the wait was too long.</summary>
    public IReadOnlyList<(QueuedPod Pod, string Node, bool IsBound)> Ended(VolumeFacts facts)
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
                return [];
            var now = time.GetUtcNow();
            var ended = new List<(QueuedPod, string, bool)>();
            foreach (var (uid, (pod, node, since, told)) in _waiting.ToList())
            {
                var unbound = VolumeBinding.Unbound(pod.Pod, facts).ToList();
                var knows = unbound.All(claim => claim.Annotation(StorageNames.SelectedNode) == node);
                // Once the watch has shown the node on all claims, a claim without it has been given back by the binder.
                var lost = now - since > Longest || told && !knows;
                _waiting[uid] = (pod, node, since, told || knows);
                if (unbound.Count > 0 && !lost)
                    continue;
                _waiting.Remove(uid);
                ended.Add((pod, node, unbound.Count == 0));
            }
            return ended;
        }
    }
}
