using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>
/// The retention policy of a stateful set's claims, as owner references: a claim that is to go with the set belongs to the set, one that is to go with
/// a scale-down belongs to the pod that goes. The garbage collector does the rest. Pure.
/// </summary>
public static class ClaimOwners
{
    /// <param name="pod">The claim's pod; null when there is none now.</param>
    /// <returns>The references as they should be; null when they are.</returns>
    public static IReadOnlyList<OwnerReference>? Plan(StatefulSet set, PersistentVolumeClaim claim, int ordinal, Pod? pod)
    {
        var policy = set.Spec.PersistentVolumeClaimRetentionPolicy;
        var start = set.Spec.Ordinals?.Start ?? 0;
        var isWanted = ordinal >= start && ordinal < start + (set.Spec.Replicas ?? 1);
        var others = claim.Metadata.OwnerReferences.Where(owner => owner.Uid != set.Metadata.Uid && owner.Kind != "Pod").ToList();
        var before = claim.Metadata.OwnerReferences;
        List<OwnerReference> wanted = [.. others];
        if (policy?.WhenDeleted == "Delete" && (isWanted || policy.WhenScaled != "Delete"))
            wanted.Add(set.AsController());
        if (!isWanted && policy?.WhenScaled == "Delete")
        {
            if (pod is not null)
                wanted.Add(new OwnerReference { ApiVersion = "v1", Kind = "Pod", Name = pod.Metadata.Name ?? "", Uid = pod.Metadata.Uid ?? "" });
            else
                wanted.AddRange(before.Where(owner => owner.Kind == "Pod")); // it is gone: the collector follows
        }

        return wanted.Select(owner => owner.Uid).Order().SequenceEqual(before.Select(owner => owner.Uid).Order()) ? null : wanted;
    }
}
