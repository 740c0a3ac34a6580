using Weft.Api.Core;

namespace Weft.Node.Pods;

/// <summary>Names of a pod. Pure.</summary>
internal static class PodNames
{
    // The kernel's limit of a hostname (HOST_NAME_MAX).
    private const int MaxHostname = 64;

    /// <summary>The pod's hostname: at most 63 bytes, as DNS' labels.</summary>
    public static string Hostname(Pod pod)
    {
        var name = pod.Spec.Hostname is { Length: > 0 } given ? given : pod.Metadata.Name!;
        return (name.Length <= 63 ? name : name[..63]).TrimEnd('-', '.');
    }

    /// <summary>What the kernel is told: the full domain name where the pod asks for that and has one.</summary>
    /// <param name="problem">Why it cannot be.</param>
    public static string KernelHostname(Pod pod, string clusterDomain, out string? problem)
    {
        problem = null;
        var name = Hostname(pod);
        if (pod.Spec.SetHostnameAsFQDN != true || pod.Spec.Subdomain is not { Length: > 0 } subdomain)
            return name;
        var full = $"{name}.{subdomain}.{pod.Metadata.Namespace}.svc.{clusterDomain}";
        if (full.Length > MaxHostname)
            problem = $"Failed to construct FQDN from Pod hostname and cluster domain, FQDN {full} is too long ({MaxHostname} characters is the max, {full.Length} characters requested)";
        return full;
    }

    /// <summary>As Kubernetes writes a pod in messages.</summary>
    public static string Full(Pod pod) => $"{pod.Metadata.Name}_{pod.Metadata.Namespace}({pod.Metadata.Uid})";
}
