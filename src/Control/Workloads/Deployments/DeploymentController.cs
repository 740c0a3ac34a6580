using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Carries out what <see cref="DeploymentPlanner"/> finds.</summary>
internal sealed class DeploymentController
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<Deployment> _deployments;
    private readonly CachedResource<ReplicaSet> _sets;
    private readonly OwnedObjects<ReplicaSet> _ownedSets;
    private readonly OwnedObjects<Pod> _ownedPods;

    private DeploymentController(ControllerTools tools)
    {
        _tools = tools;
        _deployments = tools.Resource<Deployment>();
        _sets = tools.Resource<ReplicaSet>();
        _ownedSets = new OwnedObjects<ReplicaSet>(_sets);
        _ownedPods = new OwnedObjects<Pod>(tools.Resource<Pod>());
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new DeploymentController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._deployments.Cache.All().Select(deployment => deployment.Key()));
        controller._deployments.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._sets.Cache.Subscribe(change => controller.OnSet(change, loop.Queue));
        tools.Informers.Cache<Pod>().Subscribe(change => controller.OnPod(change, loop.Queue));
        return loop;
    }

    private void OnSet(Change<ReplicaSet> change, WorkQueue<ObjectKey> queue)
    {
        foreach (var set in (ReplicaSet?[])[change.Old, change.New])
        {
            if (set?.Controller() is { Kind: "Deployment" } owner)
                queue.Add(new ObjectKey(set.Metadata.Namespace ?? "", owner.Name));
        }

        if (change.New is { } orphan && orphan.Controller() is null && !orphan.IsTerminating())
        {
            foreach (var deployment in _deployments.Cache.InNamespace(orphan.Metadata.Namespace ?? ""))
            {
                if (deployment.Spec.Selector.Query()?.Matches(orphan.Metadata.Labels) == true)
                    queue.Add(deployment.Key());
            }
        }
    }

    // Recreate waits for the last old pod to go; nothing else here depends on single pods.
    private void OnPod(Change<Pod> change, WorkQueue<ObjectKey> queue)
    {
        if ((change.New is null || change.New.IsFinished())
            && change.Current.Controller() is { Kind: "ReplicaSet" } setReference
            && _sets.Cache.Find(new ObjectKey(change.Current.Metadata.Namespace ?? "", setReference.Name))?.Controller() is { Kind: "Deployment" } owner)
            queue.Add(new ObjectKey(change.Current.Metadata.Namespace ?? "", owner.Name));
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_deployments.Cache.Find(key) is not { } deployment)
            return null;
        if (deployment.Spec.Selector.Query() is not { } selector || selector.IsEverything)
        {
            _tools.Events.Warning(deployment, "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.");
            return null;
        }

        var sets = await _ownedSets.ClaimAsync(deployment, selector, stop => IsLiveAsync(deployment, stop), cancellationToken);
        var now = _tools.Time.GetUtcNow();
        var plan = DeploymentPlanner.Plan(deployment, sets, OldPodsRun(deployment, sets), now);

        foreach (var step in plan.Steps)
        {
            if (await RunAsync(deployment, step, now, cancellationToken) is { } instead)
            {
                await WriteStatusAsync(deployment, instead, cancellationToken);
                return TimeSpan.Zero;
            }
        }

        if (plan.Revision is { } revision)
        {
            var annotations = new JsonObject { [RevisionAnnotations.Revision] = revision };
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = deployment.Metadata.Uid, ["annotations"] = annotations } };
            await _deployments.PatchAsync(deployment, Patch.Merge(patch), cancellationToken);
        }

        await WriteStatusAsync(deployment, plan.Status, cancellationToken);
        return plan.LookAgainIn;
    }

    private async Task WriteStatusAsync(Deployment deployment, DeploymentStatus status, CancellationToken cancellationToken)
    {
        if (Patches.Status(deployment, deployment.Status, status) is { } patch)
            await _deployments.PatchStatusAsync(deployment, patch, cancellationToken);
    }

    /// <returns>A status that says why the plan ends here; null when the step is done.</returns>
    private async Task<DeploymentStatus?> RunAsync(Deployment deployment, RolloutStep step, DateTimeOffset now, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case RolloutStep.Create create:
                return await CreateAsync(deployment, create.Set, now, cancellationToken);
            case RolloutStep.Update update:
                if (Patches.Object(update.Old, update.New) is { } patch)
                {
                    await _sets.PatchAsync(update.Old, patch, cancellationToken);
                    TellSize(deployment, update.New.Metadata.Name, update.Old.Spec.Replicas ?? 1, update.New.Spec.Replicas ?? 1);
                }

                return null;
            case RolloutStep.Delete delete:
                await _sets.DeleteAsync(delete.Set, cancellationToken);
                return null;
            default:
                throw new InvalidOperationException($"Unknown step {step}.");
        }
    }

    private async Task<DeploymentStatus?> CreateAsync(Deployment deployment, ReplicaSet set, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            await _sets.CreateAsync(deployment.Metadata.Namespace ?? "", set, cancellationToken);
            TellSize(deployment, set.Metadata.Name, 0, set.Spec.Replicas ?? 1);
            return null;
        }
        catch (ApiStatusException refused) when (refused.IsAlreadyExists)
        {
            // Ours from a moment ago (the cache lags), or two templates with one hash.
            var existing = await _sets.FindLiveAsync(set.Key(), cancellationToken);
            if (existing is null || (existing.Controller()?.Uid == deployment.Metadata.Uid && existing.Spec.Template.IsMadeOf(deployment.Spec.Template)))
                throw;
            return deployment.Status with { CollisionCount = (deployment.Status.CollisionCount ?? 0) + 1 };
        }
        catch (ApiStatusException refused) when (!refused.IsNamespaceTerminating)
        {
            var message = $"Failed to create new replica set \"{set.Metadata.Name}\": {refused.Message}";
            _tools.Events.Warning(deployment, "ReplicaSetCreateError", message);
            if (DeploymentStatusPlanner.HasDeadline(deployment))
            {
                var conditions = new ConditionSet(deployment.Status.Conditions, now);
                conditions.Set("Progressing", "False", Reasons.SetCreateError, message);
                await WriteStatusAsync(deployment, deployment.Status with { Conditions = conditions.All }, cancellationToken);
            }

            throw;
        }
    }

    private void TellSize(Deployment deployment, string? set, int from, int to)
    {
        if (from != to)
            _tools.Events.Normal(deployment, "ScalingReplicaSet", $"Scaled {(to > from ? "up" : "down")} replica set {set} from {from} to {to}");
    }

    private bool OldPodsRun(Deployment deployment, IReadOnlyList<ReplicaSet> sets) => sets
        .Where(set => !set.Spec.Template.IsMadeOf(deployment.Spec.Template))
        .SelectMany(set => _ownedPods.ReferringTo(set.Metadata.Uid ?? ""))
        .Any(pod => !pod.IsFinished());

    private async Task<bool> IsLiveAsync(Deployment deployment, CancellationToken cancellationToken) =>
        await _deployments.FindLiveAsync(deployment.Key(), cancellationToken) is { } live
        && live.Metadata.Uid == deployment.Metadata.Uid && !live.IsTerminating();
}
