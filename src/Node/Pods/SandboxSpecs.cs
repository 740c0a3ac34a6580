using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>What a pod's sandbox is asked to be. Pure.</summary>
internal static class SandboxSpecs
{
    /// <exception cref="RuntimeException">The pod asks for a hostname that the kernel does not take.</exception>
    public static SandboxSpec Of(Pod pod, PodServices services, int attempt)
    {
        var hostname = PodNames.KernelHostname(pod, services.Dns.Domain, out var problem);
        if (problem is not null)
            throw new RuntimeException(RuntimeError.Sandbox, problem);
        return new()
        {
            PodUid = pod.Metadata.Uid!,
            Namespace = pod.Metadata.Namespace!,
            Name = pod.Metadata.Name!,
            Hostname = hostname,
            HostNetwork = pod.Spec.HostNetwork == true,
            HostIpc = pod.Spec.HostIPC == true,
            HostPid = pod.Spec.HostPID == true,
            SharedPid = pod.Spec.ShareProcessNamespace == true,
            RuntimeHandler = services.Handler ?? "",
            Attempt = attempt,
            Labels = pod.Metadata.Labels,
            LogDirectory = Path.Combine(services.Directories.Pod(pod.Metadata.Uid!), "containers"),
            Sysctls = (pod.Spec.SecurityContext?.Sysctls ?? []).ToDictionary(s => s.Name.Replace('/', '.'), s => s.Value),
        };
    }
}
