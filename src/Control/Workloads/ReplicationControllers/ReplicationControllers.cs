using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Replication controllers are replica sets with an older form: the same planners decide about them.</summary>
internal sealed class ReplicationControllers
{
    private readonly ControllerTools _tools;
    private readonly CachedResource<ReplicationController> _controllers;
    private readonly CachedResource<Pod> _pods;
    private readonly OwnedObjects<Pod> _owned;

    private ReplicationControllers(ControllerTools tools)
    {
        _tools = tools;
        _controllers = tools.Resource<ReplicationController>();
        _pods = tools.Resource<Pod>();
        _owned = new OwnedObjects<Pod>(_pods);
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controllers = new ReplicationControllers(tools);
        var loop = tools.Loop<ObjectKey>(controllers.ReconcileAsync, () => controllers._controllers.Cache.All().Select(one => one.Key()));
        controllers._controllers.Cache.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        controllers._pods.Cache.Subscribe(change => PodChanges.Queue(
            change, loop.Queue, "ReplicationController", controllers._controllers.Cache,
            static (one, pod) => AsSet(one).Spec.Selector.Query()?.Matches(pod.Metadata.Labels) == true));
        return loop;
    }

    private async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_controllers.Cache.Find(key) is not { } controller)
            return null;
        var set = AsSet(controller);
        if (set.Spec.Selector.Query() is not { IsEverything: false } selector)
            return null;
        IReadOnlyList<Pod> pods = await _owned.ClaimAsync(controller, selector, stop => IsLiveAsync(controller, stop), cancellationToken);
        var plan = ReplicaSetPlanner.Plan(set, pods, pods, _tools.Time.GetUtcNow());
        var pod = PodTemplates.NewPod(controller.Spec.Template ?? new PodTemplateSpec(), controller.Metadata.Name ?? "", controller.AsController());
        var (_, failed) = await Batches.SlowStartAsync(plan.Create, async () =>
        {
            var created = await _pods.CreateAsync(key.Namespace, pod, cancellationToken);
            _tools.Events.Normal(controller, "SuccessfulCreate", $"Created pod: {created.Metadata.Name}");
        });
        if (failed is not null)
            _tools.Events.Warning(controller, "FailedCreate", $"Error creating: {failed.Message}");
        foreach (var surplus in plan.Delete)
        {
            if (await _pods.DeleteAsync(surplus, cancellationToken))
                _tools.Events.Normal(controller, "SuccessfulDelete", $"Deleted pod: {surplus.Metadata.Name}");
        }

        pods = Ownership.Decide<Pod>(controller, selector, _owned.ReferringTo(controller.Metadata.Uid ?? "")).Owned;
        var (counted, again) = ReplicaSetStatusPlanner.Plan(set, pods, failed is null ? null : new ReplicaFailure("FailedCreate", failed.Message), _tools.Time.GetUtcNow());
        var status = controller.Status with
        {
            Replicas = counted.Replicas, FullyLabeledReplicas = counted.FullyLabeledReplicas, ReadyReplicas = counted.ReadyReplicas,
            AvailableReplicas = counted.AvailableReplicas, ObservedGeneration = counted.ObservedGeneration,
            Conditions = [.. counted.Conditions.Select(one => new ReplicationControllerCondition
            {
                Type = one.Type, Status = one.Status, Reason = one.Reason, Message = one.Message, LastTransitionTime = one.LastTransitionTime,
            })],
        };
        if (Patches.Status(controller, controller.Status, status) is { } patch)
            await _controllers.PatchStatusAsync(controller, patch, cancellationToken);
        return failed is null ? again : throw failed;
    }

    private static ReplicaSet AsSet(ReplicationController controller) => new()
    {
        Metadata = controller.Metadata,
        Spec = new ReplicaSetSpec
        {
            Replicas = controller.Spec.Replicas, MinReadySeconds = controller.Spec.MinReadySeconds, Template = controller.Spec.Template,
            Selector = new LabelSelector { MatchLabels = controller.Spec.Selector },
        },
        Status = new ReplicaSetStatus
        {
            Conditions = [.. controller.Status.Conditions.Select(one => new ReplicaSetCondition
            {
                Type = one.Type, Status = one.Status, Reason = one.Reason, Message = one.Message, LastTransitionTime = one.LastTransitionTime,
            })],
        },
    };

    private async Task<bool> IsLiveAsync(ReplicationController controller, CancellationToken cancellationToken) =>
        await _controllers.FindLiveAsync(controller.Key(), cancellationToken) is { } live && live.Metadata.Uid == controller.Metadata.Uid && !live.IsTerminating();
}
