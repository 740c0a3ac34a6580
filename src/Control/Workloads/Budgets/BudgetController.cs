using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Policy;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Keeps count for evictions: how many pods of each budget may go.</summary>
internal sealed class BudgetController
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<PodDisruptionBudget> _budgets;
    private readonly ObjectCache<Pod> _pods;
    private readonly ObjectCache<ReplicaSet> _sets;
    private readonly ObjectCache<Deployment> _deployments;
    private readonly ObjectCache<StatefulSet> _stateful;
    private readonly ObjectCache<ReplicationController> _controllers;

    private BudgetController(ControllerTools tools)
    {
        _tools = tools;
        _budgets = tools.Resource<PodDisruptionBudget>();
        _pods = tools.Informers.Cache<Pod>();
        _sets = tools.Informers.Cache<ReplicaSet>();
        _deployments = tools.Informers.Cache<Deployment>();
        _stateful = tools.Informers.Cache<StatefulSet>();
        _controllers = tools.Informers.Cache<ReplicationController>();
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new BudgetController(tools);
        var loop = tools.Loop<ObjectKey>(controller.ReconcileAsync, () => controller._budgets.Cache.All().Select(budget => budget.Key()));
        controller._budgets.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controller._pods.Subscribe(change =>
        {
            foreach (var budget in controller._budgets.Cache.InNamespace(change.Current.Metadata.Namespace ?? ""))
            {
                var selector = budget.Spec.Selector?.Query();
                if (selector is not null && (selector.Matches(change.Current.Metadata.Labels) || change.Old is { } old && selector.Matches(old.Metadata.Labels)))
                    loop.Queue.Add(budget.Key());
            }
        });
        controller._deployments.Subscribe(change => controller.AddAll(change.Current, loop.Queue));
        controller._stateful.Subscribe(change => controller.AddAll(change.Current, loop.Queue));
        controller._sets.Subscribe(change =>
        {
            if (change.Old?.Spec.Replicas != change.New?.Spec.Replicas)
                controller.AddAll(change.Current, loop.Queue);
        });
        return loop;
    }

    private void AddAll(IObject workload, WorkQueue<ObjectKey> queue)
    {
        foreach (var budget in _budgets.Cache.InNamespace(workload.Metadata.Namespace ?? ""))
            queue.Add(budget.Key());
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_budgets.Cache.Find(key) is not { } budget || budget.IsTerminating())
            return null;
        // No selector selects nothing; an empty one everything of the namespace.
        var selector = budget.Spec.Selector?.Query();
        var pods = selector is null ? [] : _pods.InNamespace(key.Namespace).Where(pod => selector.Matches(pod.Metadata.Labels)).ToList();
        var (status, again) = BudgetPlanner.Plan(budget, pods, Wanted(key.Namespace, pods), _tools.Time.GetUtcNow());
        var difference = Weft.Api.Patches.MergePatch.Diff(ApiJson.ToTree(budget.Status), ApiJson.ToTree(status));
        if (difference.Count == 0)
            return again;
        // An eviction writes here too: what it took meanwhile must not come back, so the patch names the revision it was read at.
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = budget.Metadata.Uid, ["resourceVersion"] = budget.Metadata.ResourceVersion }, ["status"] = difference,
        };
        await _budgets.PatchStatusAsync(budget, Patch.Merge(patch), cancellationToken);
        return again;
    }

    // Each workload once; a pod without one that is known counts for itself.
    private int Wanted(string @namespace, IReadOnlyList<Pod> pods)
    {
        var total = 0;
        var seen = new HashSet<string>();
        foreach (var pod in pods.Where(pod => !pod.IsFinished()))
        {
            var owner = pod.Controller();
            var (id, replicas) = owner is null ? (pod.Metadata.Uid ?? "", 1) : Scale(@namespace, owner, pod);
            if (seen.Add(id))
                total += replicas;
        }
        return total;
    }

    private (string Id, int Replicas) Scale(string @namespace, OwnerReference owner, Pod pod)
    {
        var key = new ObjectKey(@namespace, owner.Name);
        switch (owner.Kind)
        {
            case "ReplicaSet" when _sets.Find(key) is { } set:
                return set.Controller() is { Kind: "Deployment" } above && _deployments.Find(new ObjectKey(@namespace, above.Name)) is { } deployment
                    ? (above.Uid, deployment.Spec.Replicas ?? 1)
                    : (owner.Uid, set.Spec.Replicas ?? 1);
            case "StatefulSet" when _stateful.Find(key) is { } set:
                return (owner.Uid, set.Spec.Replicas ?? 1);
            case "ReplicationController" when _controllers.Find(key) is { } controller:
                return (owner.Uid, controller.Spec.Replicas ?? 1);
            default:
                return (pod.Metadata.Uid ?? "", 1);
        }
    }
}
