using System.Net;
using Weft.Api.Core;

namespace Weft.Node.Network.Services;

/// <summary>The ports of this machine that lead to a pod on it (`hostPort`), for pods of every runtime. Pure.</summary>
internal static class HostPortObjects
{
    public static NftObjects? Of(Pod pod)
    {
        if (pod.Spec.HostNetwork == true || pod.Status.Phase is "Succeeded" or "Failed"
            || !IPAddress.TryParse(pod.Status.PodIP, out var address) || address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork)
            return null;
        var objects = new NftObjects();
        // Sidecars are init containers that stay.
        foreach (var port in pod.Spec.Containers.Concat(pod.Spec.InitContainers.Where(container => container.RestartPolicy == "Always")).SelectMany(container => container.Ports))
        {
            if (port.HostPort is not > 0 || port.Protocol is not (null or "TCP" or "UDP"))
                continue;
            var protocol = port.Protocol == "UDP" ? "udp" : "tcp";
            var target = $"{address} . {port.Port}";
            if (IPAddress.TryParse(port.HostIP, out var host) && !host.Equals(IPAddress.Any) && host.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
                objects.Elements[new("host_addresses", $"{host} . {protocol} . {port.HostPort}")] = target;
            else if (string.IsNullOrEmpty(port.HostIP) || host?.Equals(IPAddress.Any) == true)
                objects.Elements[new("host_ports", $"{protocol} . {port.HostPort}")] = target;
            objects.Elements[new("hairpin", $"{address} . {address}")] = "";
        }
        return objects.Elements.Count > 0 ? objects : null;
    }
}
