using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Control.Networking;
using Weft.Control.Workloads;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Names;

/// <summary>From an object of the cluster to the unit that a proxy makes names of. Pure, one object at a time: a change of one object is a change of one unit.</summary>
public static class NamesCompiler
{
    /// <summary>The label by which a slice names its service.</summary>
    private const string ServiceName = "kubernetes.io/service-name";

    public static ConfigUnit Zone(string domain, IReadOnlyList<string> servers, IReadOnlyList<string> reverse) =>
        UnitCodec.Zone(domain, new ZoneUnit { Servers = servers, Reverse = reverse });

    public static UnitKey KeyOf(Service service) => new(UnitKind.Service, Name(service));

    public static UnitKey KeyOf(EndpointSlice slice) => new(UnitKind.Endpoints, Name(slice));

    public static UnitKey KeyOf(Pod pod) => new(UnitKind.Pod, Name(pod));

    /// <summary>A service keeps its name until it is gone: also while it terminates, clients may have to finish.</summary>
    public static ConfigUnit Compile(Service service) => UnitCodec.Service(service.Metadata.Namespace ?? "", service.Metadata.Name ?? "", new ServiceUnit
    {
        ExternalName = service.Spec.Type == "ExternalName" ? service.Spec.ExternalName : null,
        Headless = service.Spec.Type != "ExternalName" && EndpointPods.IsHeadless(service),
        Addresses = service.Spec.Type == "ExternalName" || EndpointPods.IsHeadless(service) ? [] : Addresses(service),
        Ports = [.. service.Spec.Ports.Select(port => Port(port.Name, port.Protocol, port.Port))],
    });

    /// <summary>Null for a slice that belongs to no service, or has names for addresses.</summary>
    public static ConfigUnit? Compile(EndpointSlice slice)
    {
        if (slice.AddressType == "FQDN" || !slice.Metadata.Labels.TryGetValue(ServiceName, out var service))
            return null;
        return UnitCodec.Endpoints(slice.Metadata.Namespace ?? "", slice.Metadata.Name ?? "", new EndpointsUnit
        {
            Service = service,
            Ports = [.. slice.Ports.Where(port => port.Port is not null).Select(port => Port(port.Name, port.Protocol, port.Port ?? 0))],
            Endpoints =
            [
                .. slice.Endpoints.Select(endpoint => new UnitEndpoint
                {
                    Addresses = endpoint.Addresses,
                    Hostname = string.IsNullOrEmpty(endpoint.Hostname) ? null : endpoint.Hostname,
                    // Not said means ready (the API's own rule).
                    Ready = endpoint.Conditions?.Ready != false,
                }),
            ],
        });
    }

    /// <summary>Null for a pod without an address, or one that has ended: its address may be another's by now.</summary>
    public static ConfigUnit? Compile(Pod pod)
    {
        var addresses = EndpointPods.Addresses(pod).ToList();
        return addresses.Count == 0 || pod.IsFinished()
            ? null
            : UnitCodec.Pod(pod.Metadata.Namespace ?? "", pod.Metadata.Name ?? "", new PodUnit { Addresses = addresses, HostNetwork = pod.Spec.HostNetwork == true });
    }

    private static IReadOnlyList<string> Addresses(Service service) => service.Spec.ClusterIPs.Count > 0
        ? service.Spec.ClusterIPs
        : string.IsNullOrEmpty(service.Spec.ClusterIP) ? [] : [service.Spec.ClusterIP];

    private static UnitPort Port(string? name, string? protocol, int port) => new(name ?? "", (protocol ?? "TCP").ToLowerInvariant(), port);

    private static string Name(IObject value) => $"{value.Metadata.Namespace}/{value.Metadata.Name}";
}
