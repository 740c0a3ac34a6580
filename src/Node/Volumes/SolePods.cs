using Weft.Api;
using Weft.Api.Core;
using Weft.Node.Pods;

namespace Weft.Node.Volumes;

/// <summary>Claims of access mode ReadWriteOncePod: one pod at a time, whoever placed the pods. The scheduler sees to it too; a pod that names its node passes it by.</summary>
internal sealed class SolePods
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, string> _holders = [];

    /// <summary>Takes the claim for the pod.</summary>
    /// <param name="here">The node's pods: one of them whose containers an earlier run of the agent made holds its claims before it is asked.</param>
    /// <exception cref="VolumeException">Another pod has it.</exception>
    public void Take(ObjectKey claim, Pod pod, IEnumerable<Pod> here)
    {
        lock (_gate)
        {
            var holder = _holders.GetValueOrDefault(claim);
            if (here.FirstOrDefault(other => IsInTheWay(other, holder)) is { } other)
                throw new VolumeException($"volume uses the ReadWriteOncePod access mode and is already in use by another pod ({other.Metadata.Name})");
            _holders[claim] = pod.Metadata.Uid!;
        }

        bool IsInTheWay(Pod other, string? holder) =>
            other.Metadata.Uid != pod.Metadata.Uid && other.Metadata.Namespace == claim.Namespace && !PodShape.IsTerminal(other) && Uses(other, claim.Name)
            && (other.Metadata.Uid == holder || (holder is null && HasRun(other)));
    }

    public void Release(string uid)
    {
        lock (_gate)
        {
            foreach (var claim in _holders.Where(h => h.Value == uid).Select(h => h.Key).ToList())
                _holders.Remove(claim);
        }
    }

    private static bool Uses(Pod pod, string claim) =>
        pod.Spec.Volumes.Any(v => v.PersistentVolumeClaim?.ClaimName == claim || (v.Ephemeral is not null && $"{pod.Metadata.Name}-{v.Name}" == claim));

    private static bool HasRun(Pod pod) => pod.Status.ContainerStatuses.Concat(pod.Status.InitContainerStatuses).Any(s => s.ContainerID is { Length: > 0 });
}
