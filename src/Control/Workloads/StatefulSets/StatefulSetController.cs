using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Carries out what <see cref="StatefulSetPlanner"/> finds.</summary>
internal sealed class StatefulSetController
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<StatefulSet> _sets;
    private readonly CachedResource<Pod> _pods;
    private readonly CachedResource<PersistentVolumeClaim> _claims;
    private readonly OwnedObjects<Pod> _owned;
    private readonly RevisionHistory _history;

    private StatefulSetController(ControllerTools tools)
    {
        _tools = tools;
        _sets = tools.Resource<StatefulSet>();
        _pods = tools.Resource<Pod>();
        _claims = tools.Resource<PersistentVolumeClaim>();
        _owned = new OwnedObjects<Pod>(_pods);
        _history = RevisionHistory.Of(tools);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new StatefulSetController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._sets.Cache.All().Select(set => set.Key()));
        controller._sets.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._pods.Cache.Subscribe(change => controller.OnPod(change, loop.Queue));
        return loop;
    }

    private void OnPod(Change<Pod> change, WorkQueue<ObjectKey> queue) => PodChanges.Queue(
        change, queue, "StatefulSet", _sets.Cache,
        static (set, pod) => StatefulPods.OrdinalOf(set, pod.Metadata.Name) >= 0 && set.Spec.Selector.Query()?.Matches(pod.Metadata.Labels) == true);

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_sets.Cache.Find(key) is not { } set || set.Spec.Selector.Query() is not { IsEverything: false } selector)
            return null;

        var pods = await _owned.ClaimAsync(set, selector, stop => IsLiveAsync(set, stop), cancellationToken);
        var revisions = await _history.ClaimAsync(set, selector, stop => IsLiveAsync(set, stop), cancellationToken);
        if (set.IsTerminating())
            return null;
        if (await _history.EnsureAsync(set, set.Spec.Template, revisions, set.Status.CollisionCount, cancellationToken) is not { } newest)
        {
            await WriteStatusAsync(set, set.Status with { CollisionCount = (set.Status.CollisionCount ?? 0) + 1 }, cancellationToken);
            return TimeSpan.Zero;
        }

        var update = new TemplateRevision(newest.Metadata.Name ?? "", set.Spec.Template);
        var current = revisions.FirstOrDefault(revision => revision.Metadata.Name == set.Status.CurrentRevision) is { } known && RevisionPlanner.TemplateOf(known) is { } template
            ? new TemplateRevision(known.Metadata.Name ?? "", template)
            : update;

        var plan = StatefulSetPlanner.Plan(set, pods, current, update, _tools.Time.GetUtcNow());
        await KeepClaimsAsync(set, pods, cancellationToken); // before a pod goes, to which a claim is to belong
        var failed = await CarryOutAsync(set, plan, cancellationToken);

        // Counted after the work, from a cache that shows it.
        pods = Ownership.Decide<Pod>(set, selector, _owned.ReferringTo(set.Metadata.Uid ?? "")).Owned;
        plan = StatefulSetPlanner.Plan(set, pods, current, update, _tools.Time.GetUtcNow());
        await WriteStatusAsync(set, plan.Status, cancellationToken);
        if (failed is not null)
            throw failed;

        var live = pods.Select(StatefulPods.RevisionOf).Append(plan.Status.CurrentRevision).Append(plan.Status.UpdateRevision).ToHashSet();
        await _history.TrimAsync(revisions, revision => live.Contains(revision.Metadata.Name ?? ""), set.Spec.RevisionHistoryLimit, cancellationToken);
        return plan.LookAgainIn;
    }

    private async Task<ApiStatusException?> CarryOutAsync(StatefulSet set, StatefulSetPlan plan, CancellationToken cancellationToken)
    {
        foreach (var step in plan.Steps)
        {
            try
            {
                if (step is StatefulStep.Create create)
                    await CreateAsync(set, create, cancellationToken);
                else if (step is StatefulStep.Delete delete && await _pods.DeleteAsync(delete.Pod, cancellationToken))
                    _tools.Events.Normal(set, "SuccessfulDelete", $"delete Pod {delete.Pod.Metadata.Name} in StatefulSet {set.Metadata.Name} successful");
            }
            catch (ApiStatusException refused) when (!refused.IsNamespaceTerminating)
            {
                return refused;
            }
        }

        return null;
    }

    private async Task CreateAsync(StatefulSet set, StatefulStep.Create step, CancellationToken cancellationToken)
    {
        foreach (var claim in StatefulPods.ClaimsOf(set, step.Ordinal))
        {
            if (_claims.Cache.Find(claim.Key()) is { } present)
            {
                if (present.IsTerminating())
                    throw new IOException($"claim {present.Metadata.Name} is being deleted: pod {step.Pod.Metadata.Name} waits until it is gone");
                continue;
            }

            try
            {
                await _claims.CreateAsync(set.Metadata.Namespace ?? "", claim, cancellationToken);
                _tools.Events.Normal(set, "SuccessfulCreate", $"create Claim {claim.Metadata.Name} Pod {step.Pod.Metadata.Name} in StatefulSet {set.Metadata.Name} success");
            }
            catch (ApiStatusException there) when (there.IsAlreadyExists)
            {
                // From an earlier life of the set: its data is what a stateful set is for.
            }
            catch (ApiStatusException refused)
            {
                _tools.Events.Warning(set, "FailedCreate", $"create Claim {claim.Metadata.Name} for Pod {step.Pod.Metadata.Name} in StatefulSet {set.Metadata.Name} failed error: {refused.Message}");
                throw;
            }
        }

        try
        {
            await _pods.CreateAsync(set.Metadata.Namespace ?? "", step.Pod, cancellationToken);
            _tools.Events.Normal(set, "SuccessfulCreate", $"create Pod {step.Pod.Metadata.Name} in StatefulSet {set.Metadata.Name} successful");
        }
        catch (ApiStatusException refused) when (!refused.IsAlreadyExists)
        {
            _tools.Events.Warning(set, "FailedCreate", $"create Pod {step.Pod.Metadata.Name} in StatefulSet {set.Metadata.Name} failed error: {refused.Message}");
            throw;
        }
    }

    private async Task KeepClaimsAsync(StatefulSet set, IReadOnlyList<Pod> pods, CancellationToken cancellationToken)
    {
        if (set.Spec.VolumeClaimTemplates.Count == 0)
            return;
        foreach (var claim in _claims.Cache.InNamespace(set.Metadata.Namespace ?? ""))
        {
            var ordinal = set.Spec.VolumeClaimTemplates
                .Where(template => claim.Metadata.Name!.StartsWith(template.Metadata.Name + "-", StringComparison.Ordinal))
                .Select(template => StatefulPods.OrdinalOf(set, claim.Metadata.Name![(template.Metadata.Name!.Length + 1)..]))
                .FirstOrDefault(number => number >= 0, -1);
            if (ordinal < 0 || claim.IsTerminating())
                continue;
            var pod = pods.FirstOrDefault(one => StatefulPods.OrdinalOf(set, one.Metadata.Name) == ordinal);
            if (ClaimOwners.Plan(set, claim, ordinal, pod) is not { } owners)
                continue;
            // The list is replaced as a whole, so the patch names the revision it was read at.
            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["uid"] = claim.Metadata.Uid, ["resourceVersion"] = claim.Metadata.ResourceVersion,
                    ["ownerReferences"] = new JsonArray([.. owners.Select(owner => Weft.Api.Json.ApiJson.ToTree(owner))]),
                },
            };
            await _claims.PatchAsync(claim, Patch.Merge(patch), cancellationToken);
        }
    }

    private async Task WriteStatusAsync(StatefulSet set, StatefulSetStatus status, CancellationToken cancellationToken)
    {
        if (Patches.Status(set, set.Status, status) is { } patch)
            await _sets.PatchStatusAsync(set, patch, cancellationToken);
    }

    private async Task<bool> IsLiveAsync(StatefulSet set, CancellationToken cancellationToken) =>
        await _sets.FindLiveAsync(set.Key(), cancellationToken) is { } live && live.Metadata.Uid == set.Metadata.Uid && !live.IsTerminating();
}
