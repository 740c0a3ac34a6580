using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Keeps as many pods as each ReplicaSet asks for.</summary>
internal sealed class ReplicaSetController
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<ReplicaSet> _sets;
    private readonly CachedResource<Pod> _pods;
    private readonly OwnedObjects<Pod> _owned;
    private readonly CacheIndex<ReplicaSet> _setsByOwner;

    private ReplicaSetController(ControllerTools tools)
    {
        _tools = tools;
        _sets = tools.Resource<ReplicaSet>();
        _pods = tools.Resource<Pod>();
        _owned = new OwnedObjects<Pod>(_pods);
        _setsByOwner = _sets.Cache.AddIndex(static set => set.Controller() is { } owner ? [owner.Uid] : []);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new ReplicaSetController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._sets.Cache.All().Select(set => set.Key()));
        controller._sets.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._pods.Cache.Subscribe(change => controller.OnPod(change, loop.Queue));
        return loop;
    }

    private void OnPod(Change<Pod> change, WorkQueue<ObjectKey> queue) =>
        PodChanges.Queue(change, queue, "ReplicaSet", _sets.Cache, static (set, pod) => set.Spec.Selector.Query()?.Matches(pod.Metadata.Labels) == true);

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_sets.Cache.Find(key) is not { } set)
            return null; // its pods are the garbage collector's
        if (set.Spec.Selector.Query() is not { } selector || selector.IsEverything)
            return null; // validation does not let such a set in; one that came anyway must not own the namespace

        var pods = await _owned.ClaimAsync(set, selector, stop => IsLiveAsync(set, stop), cancellationToken);
        var now = _tools.Time.GetUtcNow();
        var plan = ReplicaSetPlanner.Plan(set, pods, Siblings(set, pods), now);
        var (failure, cause) = await CarryOutAsync(set, plan, cancellationToken);

        // Counted after the work, from a cache that shows it: one status write for both.
        pods = Ownership.Decide<Pod>(set, selector, _owned.ReferringTo(set.Metadata.Uid ?? "")).Owned;
        var (status, changesIn) = ReplicaSetStatusPlanner.Plan(set, pods, failure, _tools.Time.GetUtcNow());
        if (Patches.Status(set, set.Status, status) is { } patch)
            await _sets.PatchStatusAsync(set, patch, cancellationToken);
        if (cause is not null)
            throw cause; // the loop backs off, and says so
        return changesIn;
    }

    private async Task<(ReplicaFailure? Failure, ApiStatusException? Cause)> CarryOutAsync(ReplicaSet set, ReplicaSetPlan plan, CancellationToken cancellationToken)
    {
        if (plan.Create > 0)
        {
            var template = set.Spec.Template ?? new PodTemplateSpec();
            var pod = PodTemplates.NewPod(template, set.Metadata.Name ?? "", set.AsController());
            var (_, failed) = await Batches.SlowStartAsync(plan.Create, () => CreateAsync(set, pod, cancellationToken));
            if (failed is not null)
            {
                _tools.Events.Warning(set, "FailedCreate", $"Error creating: {failed.Message}");
                return (new ReplicaFailure("FailedCreate", failed.Message), failed);
            }
        }

        foreach (var batch in plan.Delete.Chunk(16)) // as many at once; each is one small request
        {
            var results = await Task.WhenAll(batch.Select(pod => DeleteAsync(set, pod, cancellationToken)));
            if (results.FirstOrDefault(result => result is not null) is { } failed)
                return (new ReplicaFailure("FailedDelete", failed.Message), failed);
        }

        return (null, null);
    }

    private async Task CreateAsync(ReplicaSet set, Pod pod, CancellationToken cancellationToken)
    {
        var created = await _pods.CreateAsync(set.Metadata.Namespace ?? "", pod, cancellationToken);
        _tools.Events.Normal(set, "SuccessfulCreate", $"Created pod: {created.Metadata.Name}");
    }

    private async Task<ApiStatusException?> DeleteAsync(ReplicaSet set, Pod pod, CancellationToken cancellationToken)
    {
        try
        {
            if (await _pods.DeleteAsync(pod, cancellationToken))
                _tools.Events.Normal(set, "SuccessfulDelete", $"Deleted pod: {pod.Metadata.Name}");
            return null;
        }
        catch (ApiStatusException refused)
        {
            _tools.Events.Warning(set, "FailedDelete", $"Error deleting: {refused.Message}");
            return refused;
        }
    }

    // All pods of the Deployment above, old sets included; without one, the set's own.
    private IReadOnlyList<Pod> Siblings(ReplicaSet set, ImmutableArray<Pod> own) => set.Controller() is { } owner
        ? [.. _setsByOwner.Find(owner.Uid).SelectMany(sibling => _owned.ReferringTo(sibling.Metadata.Uid ?? ""))]
        : own;

    private async Task<bool> IsLiveAsync(ReplicaSet set, CancellationToken cancellationToken) =>
        await _sets.FindLiveAsync(set.Key(), cancellationToken) is { } live && live.Metadata.Uid == set.Metadata.Uid && !live.IsTerminating();
}
