using Weft.Api;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;
using Weft.Control.Storage;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>A claim of access mode ReadWriteOncePod is one pod's at a time, on whichever node.</summary>
internal sealed class VolumeRestrictions : IPreFilterPlugin
{
    private static readonly Rejection InUse = new("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");

    public string Name => "VolumeRestrictions";

    public ClusterEvents MayCure => ClusterEvents.PodRemoved | ClusterEvents.VolumesChanged;

    // Few pods have such claims; for these a look at every pod costs less than an index that all pay for.
    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot)
    {
        HashSet<string>? sole = null;
        foreach (var name in PodClaims.NamesOf(pod.Pod))
        {
            if (snapshot.Volumes.Claims.GetValueOrDefault(new ObjectKey(pod.Key.Namespace, name)) is { } claim && claim.Spec.AccessModes.Contains("ReadWriteOncePod"))
                (sole ??= []).Add(name);
        }
        if (sole is null)
            return PreFilterResult.Skip;
        for (var i = 0; i < snapshot.Count; i++)
        {
            foreach (var other in snapshot[i].Pods)
            {
                if (other.Key.Namespace == pod.Key.Namespace && other.Uid != pod.Uid && PodClaims.NamesOf(other.Pod).Any(sole.Contains))
                    return PreFilterResult.Check();
            }
        }
        return PreFilterResult.Skip;
    }

    // Asked only when the claim is in use: then it is on every node.
    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state) => InUse;
}
