using Weft.Api.Core;
using Weft.Node.Network;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>The files that every container of a pod gets from the node: name resolution.</summary>
internal static class PodFiles
{
    public static async Task WriteAsync(Pod pod, SandboxInfo sandbox, PodServices services, CancellationToken cancellationToken)
    {
        var uid = pod.Metadata.Uid!;
        var host = File.Exists("/etc/resolv.conf") ? await File.ReadAllTextAsync("/etc/resolv.conf", cancellationToken) : "";
        await WriteReadableAsync(services.Directories.ResolvConf(uid), ResolvConf.For(pod, services.Dns, host), cancellationToken);
        await WriteReadableAsync(services.Directories.Hosts(uid), pod.Spec.HostNetwork == true
            ? ResolvConf.MachineHosts(pod, File.Exists("/etc/hosts") ? await File.ReadAllTextAsync("/etc/hosts", cancellationToken) : "")
            : ResolvConf.Hosts(pod, PodNames.Hostname(pod), sandbox.Ips, services.Dns.Domain), cancellationToken);
    }

    private static async Task WriteReadableAsync(string path, string content, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(path, content, cancellationToken);
        File.SetUnixFileMode(path, (UnixFileMode)0b110_100_100);
    }
}
