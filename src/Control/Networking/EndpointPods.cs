using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Networking;

/// <param name="Name">Of the service's port; empty for the only port of a service that gave it no name.</param>
internal readonly record struct BackendPort(string? Name, string Protocol, int Port, string? AppProtocol);

/// <summary>What a service's endpoints need of a pod.</summary>
internal static class EndpointPods
{
    public static bool HasSelector(Service service) => service.Spec.Selector.Count > 0 && service.Spec.Type != "ExternalName";

    public static bool IsSelectedBy(this Pod pod, Service service) =>
        service.Spec.Selector.All(label => pod.Metadata.Labels.GetValueOrDefault(label.Key) == label.Value);

    /// <summary>Its process has an address and has not ended.</summary>
    public static bool IsBackend(this Pod pod) => !pod.IsFinished() && Addresses(pod).Any();

    public static IEnumerable<string> Addresses(Pod pod) =>
        pod.Status.PodIPs.Count > 0 ? pod.Status.PodIPs.Select(address => address.Ip)
        : string.IsNullOrEmpty(pod.Status.PodIP) ? [] : [pod.Status.PodIP];

    public static string? AddressOf(Pod pod, string family) => Addresses(pod).FirstOrDefault(address => FamilyOf(address) == family);

    public static string FamilyOf(string address) => address.Contains(':') ? "IPv6" : "IPv4";

    public static bool IsHeadless(Service service) => service.Spec.ClusterIP == "None";

    public static IReadOnlyList<string> Families(Service service) => service.Spec.IpFamilies.Count > 0
        ? service.Spec.IpFamilies
        : [FamilyOf(service.Spec.ClusterIP ?? "")];

    /// <summary>The service's ports as numbers of this pod; one that the pod has no container port of that name for is left out.</summary>
    public static ImmutableArray<BackendPort> Ports(Service service, Pod pod) =>
    [
        .. from port in service.Spec.Ports
           let protocol = port.Protocol ?? "TCP"
           let number = Resolve(port, protocol, pod)
           where number is not null
           orderby port.Name, number, protocol
           select new BackendPort(port.Name, protocol, number.Value, port.AppProtocol),
    ];

    public static ObjectReference Target(Pod pod) => new()
    {
        Kind = "Pod", Namespace = pod.Metadata.Namespace, Name = pod.Metadata.Name, Uid = pod.Metadata.Uid,
    };

    /// <summary>A pod with a host name below the service's name gets a DNS name of its own.</summary>
    public static string? HostnameFor(Service service, Pod pod) =>
        !string.IsNullOrEmpty(pod.Spec.Hostname) && pod.Spec.Subdomain == service.Metadata.Name ? pod.Spec.Hostname : null;

    private static int? Resolve(ServicePort port, string protocol, Pod pod)
    {
        if (port.TargetPort is not { } target || (target.IsInt && target.Number == 0))
            return port.Port;
        if (target.IsInt)
            return target.Number;
        // Sidecars are init containers that stay: their ports count, too.
        return pod.Spec.Containers.Concat(pod.Spec.InitContainers.Where(container => container.RestartPolicy == "Always"))
            .SelectMany(container => container.Ports)
            .Where(candidate => candidate.Name == target.Text && (candidate.Protocol ?? "TCP") == protocol)
            .Select(candidate => (int?)candidate.Port)
            .FirstOrDefault();
    }
}
