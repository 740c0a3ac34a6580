using Weft.Api;
using Weft.Api.Core;
using Weft.Node.Pods;

namespace Weft.Node.Pressure;

/// <summary>What a pod holds on the node's disk, in bytes.</summary>
/// <param name="Volumes">emptyDir volumes on disk, by name.</param>
/// <param name="Containers">Logs and what was written beside all volumes, by name.</param>
internal sealed record StorageUse(IReadOnlyDictionary<string, long> Volumes, IReadOnlyDictionary<string, long> Containers);

/// <summary>Whether a pod holds more of the disk than its own limits allow. Pure. The messages are the kubelet's, and so is their order.</summary>
internal static class StorageLimits
{
    private const string Resource = "ephemeral-storage";

    /// <summary>Pods without limits are not measured: that costs a look at each of their files.</summary>
    public static bool Concern(Pod pod) => Limited(pod).Any() || Containers(pod).Any(c => Limit(c) is not null);

    /// <summary>The volumes that have a limit of their own. In memory the file system itself has that size.</summary>
    public static IEnumerable<(string Name, Quantity Limit)> Limited(Pod pod) =>
        pod.Spec.Volumes.Where(v => v.EmptyDir is { SizeLimit: { Sign: > 0 } } empty && IsOnDisk(empty)).Select(v => (v.Name, v.EmptyDir!.SizeLimit!.Value));

    public static bool IsOnDisk(EmptyDirVolumeSource volume) => volume.Medium is null or "";

    /// <returns>Why the pod has to go; null: it may stay.</returns>
    public static string? Exceeded(Pod pod, StorageUse use)
    {
        foreach (var (name, limit) in Limited(pod))
        {
            if (use.Volumes.GetValueOrDefault(name) > limit.Units)
                return $"Usage of EmptyDir volume \"{name}\" exceeds the limit \"{limit}\". ";
        }

        var limits = Containers(pod).Select(c => (c.Name, Limit: Limit(c))).Where(c => c.Limit is not null).Select(c => (c.Name, Limit: c.Limit!.Value)).ToList();
        if (limits.Count == 0)
            return null;
        var sum = limits.Aggregate(Quantity.Zero, (total, container) => total + container.Limit);
        if (use.Volumes.Values.Sum() + use.Containers.Values.Sum() > sum.Units)
            return $"Pod ephemeral local storage usage exceeds the total limit of containers {sum}. ";
        foreach (var (name, limit) in limits)
        {
            if (use.Containers.GetValueOrDefault(name) > limit.Units)
                return $"Container {name} exceeded its local ephemeral storage limit \"{limit}\". ";
        }
        return null;
    }

    // Init containers that have ended hold nothing that is worth a limit; sidecars run beside the others.
    private static IEnumerable<Container> Containers(Pod pod) => pod.Spec.Containers.Concat(PodShape.Sidecars(pod));

    private static Quantity? Limit(Container container) =>
        container.Resources is { } resources && resources.Limits.TryGetValue(Resource, out var limit) && limit.Sign > 0 ? limit : null;
}
