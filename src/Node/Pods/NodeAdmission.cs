using Weft.Api.Core;
using Weft.Node.Pressure;

namespace Weft.Node.Pods;

/// <summary>A pod that this node will never run, and why, in the kubelet's words: it fails at once, so that its owner makes another. Pure.</summary>
internal sealed record PodRejection(string Reason, string Message);

/// <summary>What of the node decides about new pods.</summary>
internal sealed record NodeState(NodePressure Pressure, bool IsShuttingDown)
{
    public static readonly NodeState Well = new(NodePressure.None, IsShuttingDown: false);
}

internal static class NodeAdmission
{
    // Kubernetes' list of sysctls that belong to a pod alone and cannot harm others.
    private static readonly string[] SafeSysctls =
    [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ];

    /// <param name="ofImages">Its containers are made of images.</param>
    public static PodRejection? Check(Pod pod, bool ofImages, NodeState node)
    {
        if (node.IsShuttingDown)
            return new("NodeShutdown", "Pod was rejected as the node is shutting down.");
        // As the kubelet: a node without disk takes nothing, one without memory only what has asked for some.
        if (!EvictionPlanner.IsCritical(pod))
        {
            if (node.Pressure.Disk)
                return new("Evicted", "The node had condition: [DiskPressure]. ");
            if (node.Pressure.Memory && PodShape.QosClass(pod) == "BestEffort" && !pod.Spec.Tolerations.Any(t => t.Key is null or "" or "node.kubernetes.io/memory-pressure"))
                return new("Evicted", "The node had condition: [MemoryPressure]. ");
        }
        if (pod.Spec.Os is { Name: not ("linux" or "") })
            return new("PodOSNotSupported", $"Failed to admit pod as the OS field doesn't match node OS: {pod.Spec.Os.Name}");
        if (pod.Spec.SecurityContext?.SupplementalGroupsPolicy == "Strict")
            return new("SupplementalGroupsPolicyNotSupported", "SupplementalGroupsPolicy=Strict is not supported in this node");
        if (pod.Spec.HostUsers == false)
            return new("UserNamespacesNotSupported", "hostUsers: false asks for a user namespace, which this node does not give; leave it out");
        foreach (var sysctl in pod.Spec.SecurityContext?.Sysctls ?? [])
        {
            var name = sysctl.Name.Replace('/', '.');
            var reason = !ofImages ? "process pods take no sysctls"
                : !SafeSysctls.Contains(name) ? "not allowlisted"
                : name.StartsWith("net.", StringComparison.Ordinal) && pod.Spec.HostNetwork == true ? "not allowed with host net enabled"
                : name.StartsWith("kernel.", StringComparison.Ordinal) && pod.Spec.HostIPC == true ? "not allowed with host ipc enabled"
                : null;
            if (reason is not null)
                return new("SysctlForbidden", $"forbidden sysctl: \"{sysctl.Name}\" {reason}");
        }
        return null;
    }
}
