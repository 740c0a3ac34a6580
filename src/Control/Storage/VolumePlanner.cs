using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Storage;

/// <summary>What is to be done about a volume.</summary>
/// <param name="Phase">What it is now.</param>
/// <param name="Message">For people: why it failed.</param>
/// <param name="Delete">Its claim is gone and it is not to be kept.</param>
/// <param name="Unbind">Its claim has another volume: it becomes free again.</param>
/// <param name="Finalizers">Those that stay; null when none goes.</param>
public sealed record VolumePlan(string Phase, string? Message = null, bool Delete = false, bool Unbind = false, IReadOnlyList<string>? Finalizers = null);

/// <summary>The phase of a volume, and what becomes of it when its claim is gone. Pure.</summary>
public static class VolumePlanner
{
    /// <param name="claim">The claim that the volume names, by namespace and name; null when there is none.</param>
    /// <param name="nodeIsGone">None of the nodes that could reach the volume exists.</param>
    public static VolumePlan Plan(PersistentVolume volume, PersistentVolumeClaim? claim, bool nodeIsGone)
    {
        var plan = Phase(volume, claim);
        if (!volume.IsTerminating())
            return plan;
        // In use it stays: what holds it then goes when the claim goes. A node that is gone cannot remove a directory any more.
        var kept = volume.Metadata.Finalizers
            .Where(name => !(name == StorageNames.VolumeProtection && plan.Phase != "Bound") && !(name == StorageNames.LocalFinalizer && nodeIsGone && plan.Phase != "Bound"))
            .ToList();
        return plan with { Delete = false, Finalizers = kept.Count == volume.Metadata.Finalizers.Count ? null : kept };
    }

    private static VolumePlan Phase(PersistentVolume volume, PersistentVolumeClaim? claim)
    {
        if (volume.Spec.ClaimRef is not { } reference || string.IsNullOrEmpty(reference.Uid))
            return new VolumePlan("Available");
        if (claim is null || claim.Metadata.Uid != reference.Uid)
            return Released(volume);
        if (claim.Spec.VolumeName == volume.Metadata.Name || string.IsNullOrEmpty(claim.Spec.VolumeName))
            return new VolumePlan("Bound");
        // The claim went elsewhere: what was made for it has no other use.
        return LocalVolumes.IsOurs(volume) && volume.Spec.PersistentVolumeReclaimPolicy == "Delete"
            ? new VolumePlan("Released", Delete: true)
            : new VolumePlan("Available", Unbind: true);
    }

    private static VolumePlan Released(PersistentVolume volume)
    {
        switch (volume.Spec.PersistentVolumeReclaimPolicy)
        {
            case "Delete" when LocalVolumes.IsOurs(volume):
                return new VolumePlan("Released", Delete: true);
            case "Delete" when volume.Annotation(StorageNames.ProvisionedBy) is not null:
                return new VolumePlan("Released"); // its provisioner outside deletes it
            case "Delete":
                return new VolumePlan("Failed", "error getting deleter volume plugin for volume: no volume plugin matched; delete the volume by hand, or make its reclaim policy Retain");
            case "Recycle":
                return new VolumePlan("Failed", "volumes are not recycled: delete the volume by hand, or remove its claimRef when its content may be used again");
            default:
                return new VolumePlan("Released");
        }
    }
}
