using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>Requests and limits of a container as the kernel takes them. Pure.</summary>
internal static class ContainerResources
{
    // A fork bomb must not take the node with it; the kubelet has no limit by default, most distributions set one of this size.
    private const long DefaultPids = 4096;

    public static ResourceLimits Limits(Container container)
    {
        var (limits, requests) = (container.Resources?.Limits, container.Resources?.Requests);
        var memory = limits is not null && limits.TryGetValue("memory", out var m) && m.Units > 0 ? m.Units : (long?)null;
        var cpu = limits is not null && limits.TryGetValue("cpu", out var c) && c.Milli > 0 ? c.Milli : (long?)null;
        var request = requests is not null && requests.TryGetValue("cpu", out var r) ? r.Milli : cpu ?? 0;
        return new()
        {
            MemoryBytes = memory,
            CpuQuota = cpu is { } milli ? Math.Max(milli * 100, 1000) : null,   // 1 ms is the least the kernel takes
            CpuShares = Math.Max(request * 1024 / 1000, 2),
            Pids = DefaultPids,
        };
    }

    // The kubelet's figures: who asked for less memory of the node is killed first.
    public static int OomScore(Pod pod, Container container, NodeFacts node)
    {
        switch (PodShape.QosClass(pod))
        {
            case "Guaranteed":
                return -997;
            case "BestEffort":
                return 1000;
            default:
                var request = container.Resources is { } resources && resources.Requests.TryGetValue("memory", out var memory) ? memory.Units : 0;
                return (int)Math.Clamp(1000 - (1000 * request / Math.Max(node.AllocatableMemory.Units, 1)), 3, 999);
        }
    }
}
