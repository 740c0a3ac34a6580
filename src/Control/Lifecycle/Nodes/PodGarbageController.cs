using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Lifecycle;

/// <summary>Removes pods of nodes that are gone, pods deleted before they were placed, and the oldest finished pods beyond a limit.</summary>
internal sealed class PodGarbageController
{
    // The key under which pods without a node are looked at; no node has an empty name.
    private static readonly ObjectKey Everywhere = new("", "");

    // As Kubernetes: a node that is deleted and registered again at once keeps its pods.
    private static readonly TimeSpan Quarantine = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Gather = TimeSpan.FromSeconds(20);

    private readonly ControllerTools _tools;
    private readonly CachedResource<Pod> _pods;
    private readonly CachedResource<Node> _nodes;
    private readonly CacheIndex<Pod> _podsByNode;

    private PodGarbageController(ControllerTools tools)
    {
        _tools = tools;
        _pods = tools.Resource<Pod>();
        _nodes = tools.Resource<Node>();
        _podsByNode = _pods.Cache.AddIndex(static pod => [pod.Spec.NodeName ?? ""]);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new PodGarbageController(tools);
        var loop = tools.Loop<ObjectKey>(
            controller.ReconcileAsync, () => controller._podsByNode.Keys.Select(node => new ObjectKey("", node)).Append(Everywhere), workers: 2);
        controller._nodes.Cache.Subscribe(change =>
        {
            if (change.New is null)
                loop.Queue.AddAfter(change.Old!.Key(), Quarantine);
        });
        controller._pods.Cache.Subscribe(change =>
        {
            if (change.New is not { } pod)
                return;
            if (!pod.IsScheduled() && pod.IsTerminating())
                loop.Queue.Add(Everywhere);
            else if (pod.IsFinished() && change.Old?.IsFinished() != true)
                loop.Queue.AddAfter(Everywhere, Gather);
            else if (pod.IsScheduled() && controller._nodes.Cache.Find(new ObjectKey("", pod.Spec.NodeName!)) is null)
                loop.Queue.AddAfter(new ObjectKey("", pod.Spec.NodeName!), Quarantine);
        });
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (key == Everywhere)
        {
            foreach (var pod in PodGarbagePlanner.NeverPlaced(_podsByNode.Find("")))
                await RemoveAsync(pod, cancellationToken);
            foreach (var pod in PodGarbagePlanner.Superfluous(_pods.Cache.All()))
                await RemoveAsync(pod, cancellationToken);
            return null;
        }

        if (_podsByNode.Find(key.Name) is not { Count: > 0 } orphans || _nodes.Cache.Find(key) is not null)
            return null;
        if (await _nodes.FindLiveAsync(key, cancellationToken) is not null)
            return null; // it is there: the cache lags
        foreach (var pod in orphans)
        {
            if (!pod.IsFinished())
            {
                // Whoever waits for the pod learns how it ended.
                var failed = pod.Status with { Phase = "Failed", Reason = "NodeLost", Message = $"Node {key.Name} is gone." };
                if (Patches.Status(pod, pod.Status, failed) is { } patch)
                    await _pods.PatchStatusAsync(pod, patch, cancellationToken);
            }

            _tools.Events.Normal(pod, "PodGC", $"Node {key.Name} is gone: the pod is removed.");
            await RemoveAsync(pod, cancellationToken);
        }

        return null;
    }

    private Task RemoveAsync(Pod pod, CancellationToken cancellationToken) => _pods.DeleteAsync(pod, cancellationToken, new Deletion { GracePeriodSeconds = 0 });
}
