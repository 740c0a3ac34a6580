using Weft.Api.Core;

namespace Weft.Control.Storage;

/// <summary>The claims that a pod uses.</summary>
internal static class PodClaims
{
    public static IEnumerable<string> NamesOf(Pod pod)
    {
        foreach (var volume in pod.Spec.Volumes)
        {
            if (volume.PersistentVolumeClaim is { } claim)
                yield return claim.ClaimName;
            else if (volume.Ephemeral is not null)
                yield return EphemeralName(pod, volume.Name);
        }
    }

    /// <summary>The claim that is made for a volume of type `ephemeral`.</summary>
    public static string EphemeralName(Pod pod, string volume) => $"{pod.Metadata.Name}-{volume}";
}
