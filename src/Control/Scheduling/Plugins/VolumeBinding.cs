using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Storage;
using Weft.Control.Runtime;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;
using Weft.Control.Storage;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>
/// A pod runs where its volumes are reached. A claim that is bound says so by its volume's node affinity; one whose class waits for its first consumer is
/// bound on the node that is chosen here, to a free volume that this node reaches or to one that the provisioner makes there.
/// </summary>
internal sealed class VolumeBinding : IPreFilterPlugin
{
    private static readonly Rejection Immediate = new("pod has unbound immediate PersistentVolumeClaims");
    private static readonly Rejection Conflict = new("node(s) had volume node affinity conflict");
    private static readonly Rejection Nothing = new("node(s) didn't find available persistent volumes to bind");

    public string Name => "VolumeBinding";

    public ClusterEvents MayCure => ClusterEvents.NodeAdded | ClusterEvents.NodeLabelsChanged | ClusterEvents.VolumesChanged;

    private sealed record Needs(List<PersistentVolume> Bound, List<Waiting> Unbound);

    private sealed record Waiting(PersistentVolumeClaim Claim, StorageClass Class, List<PersistentVolume> Free);

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot)
    {
        Needs? needs = null;
        foreach (var name in PodClaims.NamesOf(pod.Pod))
        {
            needs ??= new Needs([], []);
            if (Look(new ObjectKey(pod.Key.Namespace, name), pod, snapshot.Volumes, needs) is { } refusal)
                return PreFilterResult.Reject(refusal);
        }
        return needs is null ? PreFilterResult.Skip : PreFilterResult.Check(needs);
    }

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state)
    {
        if (state is not Needs needs)
            return null;
        foreach (var volume in needs.Bound)
        {
            if (!VolumeNodes.Reaches(volume, node))
                return Conflict;
        }

        foreach (var waiting in needs.Unbound)
        {
            if (waiting.Class.Provisioner == "kubernetes.io/no-provisioner" && !waiting.Free.Exists(volume => VolumeNodes.Reaches(volume, node)))
                return Nothing;
            // Somebody chose a node for the claim already: another pod that shares it, or this one before a restart.
            if (waiting.Claim.Annotation(StorageNames.SelectedNode) is { Length: > 0 } chosen && chosen != node.Name)
                return Conflict;
        }
        return null;
    }

    /// <summary>The pod's claims that wait to be told a node.</summary>
    public static IEnumerable<PersistentVolumeClaim> Unbound(PodInfo pod, VolumeFacts volumes) => PodClaims.NamesOf(pod.Pod)
        .Select(name => volumes.Claims.GetValueOrDefault(new ObjectKey(pod.Key.Namespace, name)))
        .OfType<PersistentVolumeClaim>()
        .Where(claim => !IsBound(claim));

    public static bool IsBound(PersistentVolumeClaim claim) => !string.IsNullOrEmpty(claim.Spec.VolumeName) && claim.Annotation(StorageNames.BindCompleted) is not null;

    private static Rejection? Look(ObjectKey key, PodInfo pod, VolumeFacts facts, Needs needs)
    {
        if (facts.Claims.GetValueOrDefault(key) is not { } claim)
            return new Rejection($"persistentvolumeclaim \"{key.Name}\" not found");
        if (claim.IsTerminating())
            return new Rejection($"persistentvolumeclaim \"{key.Name}\" is being deleted");
        if (claim.Status.Phase == "Lost")
            return new Rejection($"persistentvolumeclaim \"{key.Name}\" bound to non-existent persistentvolume \"{claim.Spec.VolumeName}\"");
        if (IsBound(claim))
        {
            if (facts.Volumes.GetValueOrDefault(claim.Spec.VolumeName!) is not { } volume)
                return new Rejection($"persistentvolume \"{claim.Spec.VolumeName}\" not found");
            needs.Bound.Add(volume);
            return null;
        }

        if (facts.Classes.GetValueOrDefault(claim.Spec.StorageClassName ?? "") is not { VolumeBindingMode: "WaitForFirstConsumer" } storageClass || !string.IsNullOrEmpty(claim.Spec.VolumeName))
            return Immediate;
        needs.Unbound.Add(new Waiting(claim, storageClass, [.. facts.Volumes.Values.Where(volume => volume.Spec.ClaimRef is null && VolumeMatch.Satisfies(volume, claim))]));
        return null;
    }
}
