using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Storage;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Storage;

/// <summary>
/// Brings claims and volumes together, makes the volumes of `weft.dev/local`, and keeps both while they are in use. One worker: two claims that look at
/// the same moment would take the same volume.
/// </summary>
internal sealed class StorageController
{
    private readonly record struct Key(bool IsVolume, ObjectKey Object);

    private readonly ControllerTools _tools;
    private readonly CachedResource<PersistentVolumeClaim> _claims;
    private readonly CachedResource<PersistentVolume> _volumes;
    private readonly ObjectCache<StorageClass> _classes;
    private readonly ObjectCache<Node> _nodes;
    private readonly CacheIndex<Pod> _podsByClaim;

    private StorageController(ControllerTools tools)
    {
        _tools = tools;
        _claims = tools.Resource<PersistentVolumeClaim>();
        _volumes = tools.Resource<PersistentVolume>();
        _classes = tools.Informers.Cache<StorageClass>();
        _nodes = tools.Informers.Cache<Node>();
        _podsByClaim = tools.Informers.Cache<Pod>().AddIndex(static pod => pod.IsFinished() ? [] : ClaimsOf(pod).Select(key => key.ToString()));
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var controller = new StorageController(tools);
        var loop = tools.Loop<Key>(
            controller.ReconcileAsync,
            () => controller._claims.Cache.All().Select(claim => new Key(false, claim.Key())).Concat(controller._volumes.Cache.All().Select(volume => new Key(true, volume.Key()))),
            workers: 1);
        var queue = loop.Queue;
        controller._claims.Cache.Subscribe(change =>
        {
            queue.Add(new Key(false, change.Current.Key()));
            if (change.Current.Spec.VolumeName is { Length: > 0 } volume)
                queue.Add(new Key(true, new ObjectKey("", volume)));
        });
        controller._volumes.Cache.Subscribe(change => controller.OnVolume(change, queue));
        controller._classes.Subscribe(_ => controller.AddUnbound(queue));
        controller._nodes.Subscribe(change =>
        {
            // Readiness and figures of a node mean nothing to volumes.
            if (change.New is null || change.Old is null || change.Old.Annotation(StorageNames.LocalDirectory) != change.New.Annotation(StorageNames.LocalDirectory))
            {
                controller.AddUnbound(queue);
                foreach (var volume in controller._volumes.Cache.All().Where(volume => volume.IsTerminating()))
                    queue.Add(new Key(true, volume.Key()));
            }
        });
        tools.Informers.Cache<Pod>().Subscribe(change =>
        {
            if (change.New is not null && !change.New.IsFinished())
                return;
            foreach (var claim in ClaimsOf(change.Current))
                queue.Add(new Key(false, claim));
        });
        return loop;
    }

    private void OnVolume(Change<PersistentVolume> change, WorkQueue<Key> queue)
    {
        queue.Add(new Key(true, change.Current.Key()));
        if (change.Current.Spec.ClaimRef is { } reference)
            queue.Add(new Key(false, new ObjectKey(reference.Namespace ?? "", reference.Name ?? "")));
        else if (change.New is not null)
            AddUnbound(queue);
    }

    private void AddUnbound(WorkQueue<Key> queue)
    {
        foreach (var claim in _claims.Cache.All().Where(claim => claim.Annotation(StorageNames.BindCompleted) is null))
            queue.Add(new Key(false, claim.Key()));
    }

    private async Task<TimeSpan?> ReconcileAsync(Key key, CancellationToken cancellationToken)
    {
        if (key.IsVolume)
            await ReconcileVolumeAsync(key.Object, cancellationToken);
        else
            await ReconcileClaimAsync(key.Object, cancellationToken);
        return null;
    }

    private async Task ReconcileClaimAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_claims.Cache.Find(key) is not { } claim)
            return;
        if (claim.IsTerminating())
        {
            if (claim.Metadata.Finalizers.Contains(StorageNames.ClaimProtection) && _podsByClaim.Find(key.ToString()).Count == 0)
                await WriteAsync(_claims, claim, claim with { Metadata = claim.Metadata with { Finalizers = [.. claim.Metadata.Finalizers.Where(name => name != StorageNames.ClaimProtection)] } }, cancellationToken);
            return;
        }

        var step = ClaimPlanner.Plan(claim, new StorageView(_volumes.Cache.All(), _classes.All(), _nodes.All()));
        switch (step)
        {
            case ClaimStep.Bind bind:
                await BindAsync(claim, bind.Volume, cancellationToken);
                break;
            case ClaimStep.Provision provision:
                await ProvisionAsync(claim, provision, cancellationToken);
                break;
            case ClaimStep.Classify classify:
                await WriteAsync(_claims, claim, claim with { Spec = claim.Spec with { StorageClassName = classify.Class } }, cancellationToken);
                break;
            case ClaimStep.ChooseAgain again:
                _tools.Events.Warning(claim, again.Reason, again.Message);
                await WriteAsync(_claims, claim, Annotated(claim, (StorageNames.SelectedNode, null)), cancellationToken);
                break;
            case ClaimStep.Lose lose:
                if (claim.Status.Phase != "Lost")
                    _tools.Events.Warning(claim, "ClaimLost", lose.Message);
                await StatusAsync(claim, claim.Status with { Phase = "Lost", Capacity = new Dictionary<string, Quantity>(), AccessModes = [] }, cancellationToken);
                break;
            case ClaimStep.Wait wait:
                await WaitAsync(claim, wait, cancellationToken);
                break;
        }
    }

    private async Task WaitAsync(PersistentVolumeClaim claim, ClaimStep.Wait wait, CancellationToken cancellationToken)
    {
        _tools.Events.Record(claim.Reference(), wait.Type, wait.Reason, wait.Message);
        if (wait.External is { } provisioner && claim.Annotation(StorageNames.Provisioner) != provisioner)
            claim = await WriteAsync(_claims, claim, Annotated(claim, (StorageNames.Provisioner, provisioner), (StorageNames.OldProvisioner, provisioner)), cancellationToken);
        await StatusAsync(claim, claim.Status with { Phase = "Pending" }, cancellationToken);
    }

    private async Task ProvisionAsync(PersistentVolumeClaim claim, ClaimStep.Provision step, CancellationToken cancellationToken)
    {
        var name = step.Class.Provisioner;
        if (claim.Annotation(StorageNames.Provisioner) != name)
            claim = await WriteAsync(_claims, claim, Annotated(claim, (StorageNames.Provisioner, name), (StorageNames.OldProvisioner, name)), cancellationToken);
        PersistentVolume volume;
        try
        {
            volume = await _volumes.CreateAsync("", LocalVolumes.For(claim, step.Class, step.Node), cancellationToken);
        }
        catch (ApiStatusException there) when (there.IsAlreadyExists)
        {
            return; // from a moment ago: the watch brings it, and it names this claim
        }

        _tools.Events.Normal(claim, "ProvisioningSucceeded", $"Successfully provisioned volume {volume.Metadata.Name} on node {step.Node.Metadata.Name}");
        await BindAsync(claim, volume, cancellationToken);
    }

    // The volume names the claim first: should anything end between the two writes, the next look finds the volume kept for it.
    private async Task BindAsync(PersistentVolumeClaim claim, PersistentVolume volume, CancellationToken cancellationToken)
    {
        if (volume.Spec.ClaimRef?.Uid != claim.Metadata.Uid)
        {
            var byHand = volume.Spec.ClaimRef is not null;
            var bound = volume with { Spec = volume.Spec with { ClaimRef = claim.Reference() with { ResourceVersion = null } } };
            volume = await WriteAsync(_volumes, volume, byHand ? bound : Annotated(bound, (StorageNames.BoundByController, "yes")), cancellationToken);
        }

        if (volume.Status.Phase != "Bound")
            volume = await VolumeStatusAsync(volume, new VolumePlan("Bound"), cancellationToken);
        if (claim.Spec.VolumeName != volume.Metadata.Name || claim.Annotation(StorageNames.BindCompleted) is null)
        {
            var named = claim with { Spec = claim.Spec with { VolumeName = volume.Metadata.Name } };
            claim = await WriteAsync(_claims, claim, string.IsNullOrEmpty(claim.Spec.VolumeName)
                ? Annotated(named, (StorageNames.BindCompleted, "yes"), (StorageNames.BoundByController, "yes"))
                : Annotated(named, (StorageNames.BindCompleted, "yes")), cancellationToken);
        }

        await StatusAsync(claim, claim.Status with { Phase = "Bound", AccessModes = volume.Spec.AccessModes, Capacity = volume.Spec.Capacity }, cancellationToken);
    }

    private async Task ReconcileVolumeAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_volumes.Cache.Find(key) is not { } volume)
            return;
        var reference = volume.Spec.ClaimRef;
        var claimKey = new ObjectKey(reference?.Namespace ?? "", reference?.Name ?? "");
        var claim = reference is null ? null : _claims.Cache.Find(claimKey);
        // Before data is given up because a claim is missing, the server itself is asked: the cache may lag.
        if (reference is not null && !string.IsNullOrEmpty(reference.Uid) && (claim is null || claim.Metadata.Uid != reference.Uid))
            claim = await _claims.FindLiveAsync(claimKey, cancellationToken);

        var nodeIsGone = volume.Spec.NodeAffinity is not null && !_nodes.All().Any(node => VolumeNodes.Reaches(volume, node));
        var plan = VolumePlanner.Plan(volume, claim, nodeIsGone);
        if (plan.Unbind)
            volume = await WriteAsync(_volumes, volume, Annotated(volume with { Spec = volume.Spec with { ClaimRef = null } }, (StorageNames.BoundByController, null)), cancellationToken);
        volume = await VolumeStatusAsync(volume, plan, cancellationToken);
        if (plan.Message is { } message && volume.Status.Phase == "Failed")
            _tools.Events.Warning(volume, "VolumeFailedDelete", message);
        if (plan.Finalizers is { } kept)
            await WriteAsync(_volumes, volume, volume with { Metadata = volume.Metadata with { Finalizers = kept } }, cancellationToken);
        if (plan.Delete)
            await _volumes.DeleteAsync(volume, cancellationToken);
    }

    private async Task<PersistentVolume> VolumeStatusAsync(PersistentVolume volume, VolumePlan plan, CancellationToken cancellationToken)
    {
        if (volume.Status.Phase == plan.Phase && volume.Status.Message == plan.Message)
            return volume;
        var status = volume.Status with
        {
            Phase = plan.Phase, Message = plan.Message,
            LastPhaseTransitionTime = volume.Status.Phase == plan.Phase ? volume.Status.LastPhaseTransitionTime : _tools.Time.GetUtcNow(),
        };
        return Patches.Status(volume, volume.Status, status) is { } patch ? await _volumes.PatchStatusAsync(volume, patch, cancellationToken) : volume;
    }

    private async Task StatusAsync(PersistentVolumeClaim claim, PersistentVolumeClaimStatus status, CancellationToken cancellationToken)
    {
        if (Patches.Status(claim, claim.Status, status) is { } patch)
            await _claims.PatchStatusAsync(claim, patch, cancellationToken);
    }

    // Names the revision it read: what a person changed meanwhile is looked at again, not overwritten.
    private static async Task<T> WriteAsync<T>(CachedResource<T> resource, T old, T @new, CancellationToken cancellationToken) where T : class, IObject
    {
        var difference = Weft.Api.Patches.MergePatch.Diff(ApiJson.ToTree(old), ApiJson.ToTree(@new));
        if (difference.Count == 0)
            return old;
        if (difference["metadata"] is not JsonObject metadata)
            difference["metadata"] = metadata = [];
        metadata["uid"] = old.Metadata.Uid;
        metadata["resourceVersion"] = old.Metadata.ResourceVersion;
        return await resource.PatchAsync(old, Patch.Merge(difference), cancellationToken);
    }

    private static PersistentVolumeClaim Annotated(PersistentVolumeClaim claim, params (string Name, string? Value)[] changes) =>
        claim with { Metadata = Annotated(claim.Metadata, changes) };

    private static PersistentVolume Annotated(PersistentVolume volume, params (string Name, string? Value)[] changes) =>
        volume with { Metadata = Annotated(volume.Metadata, changes) };

    private static ObjectMeta Annotated(ObjectMeta metadata, (string Name, string? Value)[] changes)
    {
        var annotations = new Dictionary<string, string>(metadata.Annotations);
        foreach (var (name, value) in changes)
        {
            if (value is null)
                annotations.Remove(name);
            else
                annotations[name] = value;
        }
        return metadata with { Annotations = annotations };
    }

    private static IEnumerable<ObjectKey> ClaimsOf(Pod pod) => PodClaims.NamesOf(pod).Select(name => new ObjectKey(pod.Metadata.Namespace ?? "", name));
}
