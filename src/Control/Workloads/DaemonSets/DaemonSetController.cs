using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Carries out what <see cref="DaemonSetPlanner"/> finds.</summary>
internal sealed class DaemonSetController
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<DaemonSet> _sets;
    private readonly CachedResource<Pod> _pods;
    private readonly ObjectCache<Node> _nodes;
    private readonly OwnedObjects<Pod> _owned;
    private readonly RevisionHistory _history;
    private readonly FailedPodBackoff _failures = new();

    private DaemonSetController(ControllerTools tools)
    {
        _tools = tools;
        _sets = tools.Resource<DaemonSet>();
        _pods = tools.Resource<Pod>();
        _nodes = tools.Informers.Cache<Node>();
        _owned = new OwnedObjects<Pod>(_pods);
        _history = RevisionHistory.Of(tools);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new DaemonSetController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._sets.Cache.All().Select(set => set.Key()));
        controller._sets.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._nodes.Subscribe(change =>
        {
            if (change is { Old: { } old, New: { } @new } && Placement(old) == Placement(@new))
                return;
            foreach (var set in controller._sets.Cache.All())
                loop.Queue.Add(set.Key());
        });
        controller._pods.Cache.Subscribe(change => PodChanges.Queue(
            change, loop.Queue, "DaemonSet", controller._sets.Cache, static (set, pod) => set.Spec.Selector.Query()?.Matches(pod.Metadata.Labels) == true));
        return loop;
    }

    // What of a node decides about daemons.
    private static string Placement(Node node) =>
        string.Join(';', node.Metadata.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"))
        + "|" + string.Join(';', node.Spec.Taints.Select(taint => $"{taint.Key}={taint.Value}:{taint.Effect}"));

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_sets.Cache.Find(key) is not { } set || set.Spec.Selector.Query() is not { IsEverything: false } selector)
            return null;
        var pods = await _owned.ClaimAsync(set, selector, stop => IsLiveAsync(set, stop), cancellationToken);
        var revisions = await _history.ClaimAsync(set, selector, stop => IsLiveAsync(set, stop), cancellationToken);
        if (set.IsTerminating())
            return null;
        if (await _history.EnsureAsync(set, set.Spec.Template, revisions, set.Status.CollisionCount, cancellationToken) is not { } current)
        {
            await WriteStatusAsync(set, set.Status with { CollisionCount = (set.Status.CollisionCount ?? 0) + 1 }, cancellationToken);
            return TimeSpan.Zero;
        }

        var hash = current.Metadata.Labels.GetValueOrDefault(RevisionPlanner.HashLabel) ?? "";
        var plan = Plan(set, pods, hash);
        var failed = await CarryOutAsync(set, plan, hash, cancellationToken);

        pods = Ownership.Decide<Pod>(set, selector, _owned.ReferringTo(set.Metadata.Uid ?? "")).Owned;
        plan = Plan(set, pods, hash);
        await WriteStatusAsync(set, plan.Status, cancellationToken);
        if (failed is not null)
            throw failed;

        var live = pods.Select(DaemonPods.HashOf).Append(hash).ToHashSet();
        await _history.TrimAsync(revisions, revision => live.Contains(revision.Metadata.Labels.GetValueOrDefault(RevisionPlanner.HashLabel) ?? ""), set.Spec.RevisionHistoryLimit, cancellationToken);
        return plan.LookAgainIn;
    }

    private DaemonSetPlan Plan(DaemonSet set, IReadOnlyList<Pod> pods, string hash) =>
        DaemonSetPlanner.Plan(set, _nodes.All(), pods, hash, _tools.Time.GetUtcNow(), _failures.NotBefore(set.Metadata.Uid ?? "", set.Metadata.Generation ?? 0));

    private async Task<ApiStatusException?> CarryOutAsync(DaemonSet set, DaemonSetPlan plan, string hash, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var pod in plan.Delete)
            {
                if (pod.Status.Phase == "Failed")
                {
                    var node = DaemonPods.NodeOf(pod);
                    _failures.Replaced(new DaemonPlace(set.Metadata.Uid ?? "", set.Metadata.Generation ?? 0, node), _tools.Time.GetUtcNow());
                    _tools.Events.Warning(set, "FailedDaemonPod", $"Found failed daemon pod {pod.Metadata.Namespace}/{pod.Metadata.Name} on node {node}, will try to kill it");
                }
                if (await _pods.DeleteAsync(pod, cancellationToken))
                    _tools.Events.Normal(set, "SuccessfulDelete", $"Deleted pod: {pod.Metadata.Name}");
            }

            foreach (var node in plan.Create)
            {
                var created = await _pods.CreateAsync(set.Metadata.Namespace ?? "", DaemonPods.New(set, node, hash), cancellationToken);
                _tools.Events.Normal(set, "SuccessfulCreate", $"Created pod: {created.Metadata.Name}");
            }

            return null;
        }
        catch (ApiStatusException refused) when (!refused.IsNamespaceTerminating)
        {
            _tools.Events.Warning(set, "FailedCreate", $"Error creating: {refused.Message}");
            return refused;
        }
    }

    private async Task WriteStatusAsync(DaemonSet set, DaemonSetStatus status, CancellationToken cancellationToken)
    {
        if (Patches.Status(set, set.Status, status) is { } patch)
            await _sets.PatchStatusAsync(set, patch, cancellationToken);
    }

    private async Task<bool> IsLiveAsync(DaemonSet set, CancellationToken cancellationToken) =>
        await _sets.FindLiveAsync(set.Key(), cancellationToken) is { } live && live.Metadata.Uid == set.Metadata.Uid && !live.IsTerminating();
}
