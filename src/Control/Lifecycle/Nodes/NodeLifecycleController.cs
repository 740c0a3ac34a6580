using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Coordination;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Lifecycle;

/// <summary>Judges nodes by their heartbeats, taints the silent ones, and evicts pods that do not tolerate it.</summary>
internal sealed partial class NodeLifecycleController : IControllerLoop
{
    private const string LeaseNamespace = "kube-node-lease";

    // Only to notice our own pauses; what nodes do comes by watches and timers.
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(5);

    private readonly ControllerTools _tools;
    private readonly NodeGrace _grace;
    private readonly CachedResource<Node> _nodes;
    private readonly CachedResource<Pod> _pods;
    private readonly CacheIndex<Pod> _podsByNode;
    private readonly Heartbeats _heartbeats;
    private readonly ControllerLoop<ObjectKey> _loop;
    private DateTimeOffset _resumed = DateTimeOffset.MinValue;

    private NodeLifecycleController(ControllerTools tools, NodeGrace grace)
    {
        _grace = grace;
        _tools = tools;
        _nodes = tools.Resource<Node>();
        _pods = tools.Resource<Pod>();
        _podsByNode = _pods.Cache.AddIndex(static pod => string.IsNullOrEmpty(pod.Spec.NodeName) ? [] : [pod.Spec.NodeName]);
        _heartbeats = new Heartbeats(tools.Time);
        _loop = tools.Loop<ObjectKey>(ReconcileAsync, () => _nodes.Cache.All().Select(node => node.Key()));
    }

    // Two missed renewals of a lease: whoever was heard within it proves that we hear at all.
    private TimeSpan Lately => _grace.Running / 2;

    public string Name => _loop.Name;

    public ControllerHealth Health => _loop.Health;

    public static IControllerLoop Create(ControllerTools tools, NodeGrace grace)
    {
        var controller = new NodeLifecycleController(tools, grace);
        controller._nodes.Cache.Subscribe(controller.OnNode);
        tools.Informers.Cache<Lease>().Subscribe(change =>
        {
            if (change.New is { } lease && lease.Metadata.Namespace == LeaseNamespace)
                controller._heartbeats.Heard(lease);
        });
        controller._pods.Cache.Subscribe(change =>
        {
            if (change.New?.Spec.NodeName is { Length: > 0 } name && controller.IsEvicting(name))
                controller._loop.Queue.Add(new ObjectKey("", name));
        });
        return controller;
    }

    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(_loop.RunAsync(stopping), WatchOwnPausesAsync(stopping));

    private void OnNode(Change<Node> change)
    {
        if (change.New is null)
            _heartbeats.Forget(change.Old!);
        else
            _heartbeats.Heard(change.New);
        _loop.Queue.Add(change.Current.Key());
    }

    private async Task WatchOwnPausesAsync(CancellationToken stopping)
    {
        var detector = new PauseDetector(TickEvery);
        using var timer = new PeriodicTimer(TickEvery, _tools.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                var now = _tools.Time.GetUtcNow();
                if (!detector.Tick(now, _tools.Time.GetElapsedTime(0)))
                    continue;
                _resumed = now;
                _heartbeats.StartAgain();
                Log.Paused(_tools.Logger);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_nodes.Cache.Find(key) is not { } node || node.IsTerminating())
            return null;
        var now = _tools.Time.GetUtcNow();
        var silentFor = _heartbeats.SilentFor(node);
        var silent = NodeHealthPlanner.IsSilent(node, silentFor, _grace);
        var conditions = NodeHealthPlanner.Plan(node, silent, now);
        if (Patches.Status(node, node.Status, node.Status with { Conditions = conditions }) is { } patch)
        {
            _tools.Events.Warning(node, "NodeNotReady", $"Node {node.Metadata.Name} status is now: NodeNotReady");
            node = await _nodes.PatchStatusAsync(node, patch, cancellationToken);
        }

        var evict = AnyOtherIsHeard(node);
        var taints = NodeTaints.Plan(node, conditions, evict, now);
        if (taints.Count != node.Spec.Taints.Count || !taints.SequenceEqual(node.Spec.Taints))
            node = await TaintAsync(node, taints, cancellationToken);

        if (!IsReady(node))
            await MarkPodsAsync(node, now, cancellationToken);
        var nextEviction = await EvictAsync(node, now, cancellationToken);
        // Nothing tells this key when a neighbour is heard again; a cluster of one node has none to wait for.
        var nextJudgement = !silent ? NodeHealthPlanner.UntilSilent(node, silentFor, _grace) + TimeSpan.FromMilliseconds(1)
            : !evict && _nodes.Cache.Count > 1 ? Lately
            : (TimeSpan?)null;
        return nextEviction is null ? nextJudgement : nextJudgement is null || nextEviction < nextJudgement ? nextEviction : nextJudgement;
    }

    private Task<Node> TaintAsync(Node node, IReadOnlyList<Taint> taints, CancellationToken cancellationToken)
    {
        // The list is one value for a merge patch: it may replace only what was read.
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = node.Metadata.Uid, ["resourceVersion"] = node.Metadata.ResourceVersion },
            ["spec"] = new JsonObject { ["taints"] = taints.Count == 0 ? null : new JsonArray([.. taints.Select(taint => (JsonNode)ApiJson.ToTree(taint))]) },
        };
        return _nodes.PatchAsync(node, Patch.Merge(patch), cancellationToken);
    }

    // Their node cannot say it any more: no traffic to them.
    private async Task MarkPodsAsync(Node node, DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var pod in _podsByNode.Find(node.Metadata.Name ?? "").Where(pod => pod.IsReady() && pod.IsActive()))
        {
            var conditions = pod.Status.Conditions.Select(condition => condition.Type != "Ready" ? condition : condition with
            {
                Status = "False", Reason = "NodeNotReady", LastTransitionTime = now,
            });
            var patch = Patches.Status(pod, pod.Status, pod.Status with { Conditions = [.. conditions] });
            if (patch is not null)
                await _pods.PatchStatusAsync(pod, patch, cancellationToken);
        }
    }

    private async Task<TimeSpan?> EvictAsync(Node node, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (!node.Spec.Taints.Any(taint => taint.Effect == "NoExecute"))
            return null;
        TimeSpan? next = null;
        foreach (var pod in _podsByNode.Find(node.Metadata.Name ?? "").Where(pod => pod.IsActive()))
        {
            if (EvictionPlanner.EvictAt(pod, node.Spec.Taints, _resumed) is not { } at)
                continue;
            if (at > now)
            {
                next = next is { } sooner && sooner < at - now ? sooner : at - now;
                continue;
            }

            _tools.Events.Normal(pod, "TaintManagerEviction", $"Marking for deletion Pod {pod.Key()}");
            await _pods.DeleteAsync(pod, cancellationToken);
        }

        return next;
    }

    private bool AnyOtherIsHeard(Node node) => _nodes.Cache.All()
        .Any(other => other.Metadata.Name != node.Metadata.Name && IsReady(other) && _heartbeats.SilentFor(other) < Lately);

    private bool IsEvicting(string node) => _nodes.Cache.Find(new ObjectKey("", node))?.Spec.Taints.Any(taint => taint.Effect == "NoExecute") == true;

    private static bool IsReady(Node node) => node.Status.Conditions.Any(condition => condition.Type == "Ready" && condition.Status == "True");

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "This process stood still (a sleep, or a stopped process): nodes get their whole grace again", EventName = nameof(Paused))]
        public static partial void Paused(ILogger logger);
    }
}
