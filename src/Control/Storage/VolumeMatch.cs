using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Storage;

/// <summary>Which volume a claim may have: class, mode, access modes, size, labels.</summary>
internal static class VolumeMatch
{
    public static Quantity Size(PersistentVolumeClaim claim) => claim.Spec.Resources?.Requests.GetValueOrDefault("storage") ?? Quantity.Zero;

    /// <summary>The smallest volume that does; one that was kept for the claim before all others.</summary>
    /// <param name="reaches">Whether a volume may be chosen for the sake of its nodes.</param>
    public static PersistentVolume? Find(PersistentVolumeClaim claim, IEnumerable<PersistentVolume> volumes, Func<PersistentVolume, bool> reaches)
    {
        PersistentVolume? best = null;
        foreach (var volume in volumes)
        {
            if (volume.Spec.ClaimRef is { } kept)
            {
                if (IsFor(kept, claim) && volume.IsTerminating() == false)
                    return volume;
                continue;
            }

            if (Satisfies(volume, claim) && reaches(volume) && (best is null || IsSmaller(volume, best)))
                best = volume;
        }
        return best;
    }

    /// <summary>A free volume that has all that the claim asks for.</summary>
    public static bool Satisfies(PersistentVolume volume, PersistentVolumeClaim claim) =>
        !volume.IsTerminating() && volume.Status.Phase is null or "" or "Pending" or "Available"
        && WhyUnfit(volume, claim) is null
        && (claim.Spec.Selector is null || claim.Spec.Selector.Query()?.Matches(volume.Metadata.Labels) == true);

    /// <summary>Why a claim that names the volume cannot have it; null when it can.</summary>
    public static string? WhyUnfit(PersistentVolume volume, PersistentVolumeClaim claim)
    {
        if ((volume.Spec.StorageClassName ?? "") != (claim.Spec.StorageClassName ?? ""))
            return "storageClassName does not match";
        if ((volume.Spec.VolumeMode ?? "Filesystem") != (claim.Spec.VolumeMode ?? "Filesystem"))
            return "incompatible volumeMode";
        if (claim.Spec.AccessModes.Except(volume.Spec.AccessModes).Any())
            return "incompatible accessMode";
        return volume.Spec.Capacity.GetValueOrDefault("storage") < Size(claim) ? "requested PV is too small" : null;
    }

    /// <summary>The reference names this claim; without a uid it was written by hand.</summary>
    public static bool IsFor(ObjectReference reference, PersistentVolumeClaim claim) =>
        reference.Namespace == claim.Metadata.Namespace && reference.Name == claim.Metadata.Name
        && (string.IsNullOrEmpty(reference.Uid) || reference.Uid == claim.Metadata.Uid);

    private static bool IsSmaller(PersistentVolume volume, PersistentVolume than)
    {
        var order = volume.Spec.Capacity.GetValueOrDefault("storage").CompareTo(than.Spec.Capacity.GetValueOrDefault("storage"));
        return order != 0 ? order < 0 : string.CompareOrdinal(volume.Metadata.Name, than.Metadata.Name) < 0;
    }
}
