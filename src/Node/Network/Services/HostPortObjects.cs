using System.Net;
using Weft.Api.Core;

namespace Weft.Node.Network.Services;

/// <summary>The ports of this machine that lead to a pod on it (`hostPort`), for pods of every runtime. Pure.</summary>
internal static class HostPortObjects
{
    /// <param name="busy">Ports of this machine that a process listens on. A pod does not get these: the API server's, or that of the registry whose images run.</param>
    public static NftObjects? Of(Pod pod, Func<string, int, bool> busy)
    {
        if (pod.Spec.HostNetwork == true || pod.Status.Phase is "Succeeded" or "Failed"
            || !IPAddress.TryParse(pod.Status.PodIP, out var address) || address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork)
            return null;
        var objects = new NftObjects();
        foreach (var port in Claims(pod))
        {
            var protocol = Protocol(port);
            if (busy(protocol, port.HostPort!.Value))
                continue;
            var target = $"{address} . {port.Port}";
            if (IPAddress.TryParse(port.HostIP, out var host) && !host.Equals(IPAddress.Any) && host.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
                objects.Elements[new("host_addresses", $"{host} . {protocol} . {port.HostPort}")] = target;
            else if (string.IsNullOrEmpty(port.HostIP) || host?.Equals(IPAddress.Any) == true)
                objects.Elements[new("host_ports", $"{protocol} . {port.HostPort}")] = target;
            objects.Elements[new("hairpin", $"{address} . {address}")] = "";
        }
        return objects.Elements.Count > 0 ? objects : null;
    }

    /// <summary>Protocol and port of what the pod asks for.</summary>
    public static IEnumerable<(string Protocol, int Port)> Ports(Pod pod) => pod.Spec.HostNetwork == true ? [] : Claims(pod).Select(port => (Protocol(port), port.HostPort!.Value));

    // Sidecars are init containers that stay.
    private static IEnumerable<ContainerPort> Claims(Pod pod) => pod.Spec.Containers.Concat(pod.Spec.InitContainers.Where(container => container.RestartPolicy == "Always"))
        .SelectMany(container => container.Ports).Where(port => port.HostPort is > 0 && port.Protocol is (null or "TCP" or "UDP"));

    private static string Protocol(ContainerPort port) => port.Protocol == "UDP" ? "udp" : "tcp";
}
