using System.Collections.Immutable;
using System.Net;
using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Mesh.Addresses;
using Weft.Control.Networking;
using Weft.Proxy.Config.Units;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Hosts;

internal enum Resolution { Static, Dns, Original }

/// <param name="EndpointName">Name of the port in slices and workload entries.</param>
internal sealed record HostPort(int Number, string EndpointName, PortProtocol Protocol, int TargetPort)
{
    public bool SpeaksHttp => Protocol is PortProtocol.Auto or PortProtocol.Http or PortProtocol.Http2;
}

/// <summary>A host of the mesh: that of a service or of a service entry. Two are the same when the object behind them is, and the address that others' objects have left to it.</summary>
internal sealed record MeshHost
{
    public required string Name { get; init; }

    public required string Namespace { get; init; }

    public required IObject Source { get; init; }

    public ImmutableArray<HostPort> Ports { get; init; } = [];

    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary>Address that the mesh has given it, as it has none; null: none.</summary>
    public string? Allocated { get; init; }

    /// <summary>Others may have them, too, with other ports: those by which a service is reached from outside.</summary>
    public ImmutableArray<string> Shared { get; init; } = [];

    public Resolution Resolution { get; init; }

    /// <summary>Name that addresses are asked for, where one stands for the host. Null where the endpoints have names of their own.</summary>
    public string? DnsName { get; init; }

    /// <summary>Endpoints outside the mesh, without identities.</summary>
    public bool External { get; init; }

    /// <summary>Its name stands for the addresses of its endpoints, so clients choose by themselves whom they call.</summary>
    public bool IsHeadless { get; init; }

    /// <summary>A client stays with its endpoint, where no rule says how they are chosen.</summary>
    public bool KeepsClients { get; init; }

    public IReadOnlyList<string> ExportTo { get; init; } = [];

    /// <summary>Near endpoints go first, by these labels of nodes.</summary>
    public ImmutableArray<string> Nearness { get; init; } = [];

    /// <summary>Clients of the cluster reach endpoints of their own node alone.</summary>
    public bool SameNodeOnly { get; init; }

    /// <summary>Whether it counts on which node an endpoint is.</summary>
    public bool CountsNodes => SameNodeOnly || Nearness.Contains(NodeLabels.Name);

    public bool Equals(MeshHost? other) => other is not null && Name == other.Name && ReferenceEquals(Source, other.Source) && Allocated == other.Allocated;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    public HostPort? Port(int number) => Ports.FirstOrDefault(port => port.Number == number);

    public static MeshHost Of(Service service, string domain)
    {
        var @namespace = service.Metadata.Namespace ?? "";
        var isName = service.Spec.Type == "ExternalName";
        var addresses = service.Spec.ClusterIPs.Count > 0 ? service.Spec.ClusterIPs : string.IsNullOrEmpty(service.Spec.ClusterIP) ? [] : [service.Spec.ClusterIP];
        return new()
        {
            Name = $"{service.Metadata.Name}.{@namespace}.svc.{domain}", Namespace = @namespace, Source = service,
            Ports =
            [
                .. service.Spec.Ports.Where(port => port.Protocol is null or "TCP")
                    .Select(port => new HostPort(port.Port, port.Name ?? "", Protocols.Of(port.AppProtocol, port.Name), port.TargetPort?.Number is > 0 and var target ? target : port.Port)),
            ],
            Addresses = isName || EndpointPods.IsHeadless(service) ? [] : [.. addresses],
            Shared = isName || EndpointPods.IsHeadless(service) ? [] : [.. Outside(service).Where(address => IPAddress.TryParse(address, out _)).Distinct()],
            Resolution = isName ? Resolution.Dns : Resolution.Static,
            DnsName = isName ? service.Spec.ExternalName : null,
            External = isName,
            IsHeadless = !isName && EndpointPods.IsHeadless(service),
            Nearness = TrafficDistribution.LabelsOf(service),
            SameNodeOnly = service.Spec.InternalTrafficPolicy == "Local",
            KeepsClients = service.Spec.SessionAffinity == "ClientIP",
            ExportTo = service.Metadata.Annotations.TryGetValue("networking.istio.io/exportTo", out var to) ? to.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [],
        };
    }

    /// <param name="given">Addresses by <see cref="HostAddresses.KeyOf"/>.</param>
    public static IEnumerable<MeshHost> Of(Istio.ServiceEntry entry, IReadOnlyDictionary<string, string> given)
    {
        var @namespace = entry.Metadata.Namespace ?? "";
        var resolution = entry.Spec.Resolution switch { "STATIC" => Resolution.Static, "DNS" or "DNS_ROUND_ROBIN" => Resolution.Dns, _ => Resolution.Original };
        return entry.Spec.Hosts.Take(Istio.ServiceEntrySpec.MostHosts).Where(host => host != "*" && HostNames.IsHost(host)).Distinct().Select(host => new MeshHost
        {
            Name = host.ToLowerInvariant(), Namespace = @namespace, Source = entry, Resolution = resolution,
            Ports = [.. entry.Spec.Ports.Take(EntryLimits.PortsOf(entry.Spec)).Where(port => port.Number is > 0 and < 65_536).DistinctBy(port => port.Number)
                .Select(port => new HostPort(port.Number, port.Name, Protocols.Of(port.Protocol), port.TargetPort ?? port.Number))],
            Addresses = [.. entry.Spec.Addresses.Take(Istio.ServiceEntrySpec.MostAddresses).Where(IsRange)],
            Allocated = given.GetValueOrDefault(HostAddresses.KeyOf(entry, host.ToLowerInvariant())),
            DnsName = resolution == Resolution.Dns && entry.Spec.Endpoints.Count == 0 && !HostNames.IsWildcard(host) ? host : null,
            External = entry.Spec.Location != "MESH_INTERNAL",
            ExportTo = entry.Spec.ExportTo,
        });
    }

    // As the nodes do it for who is not in the mesh. A balancer that asks where a client comes from is asked itself, and so is one with ipMode Proxy.
    private static IEnumerable<string> Outside(Service service) => service.Spec.Type == "LoadBalancer" && service.Spec.LoadBalancerSourceRanges.Count == 0 && service.Status.LoadBalancer is { } balancer
        ? service.Spec.ExternalIPs.Concat(balancer.Ingress.Where(entry => entry.IpMode != "Proxy").Select(entry => entry.Ip).OfType<string>())
        : service.Spec.ExternalIPs;

    public static bool IsRange(string text) => IPAddress.TryParse(text, out _) || IPNetwork.TryParse(text, out _);
}

/// <summary>What a port speaks, as Istio reads it: the application protocol, then the name up to its first dash.</summary>
internal static class Protocols
{
    public static PortProtocol Of(string? appProtocol, string? name) => appProtocol switch
    {
        "kubernetes.io/h2c" => PortProtocol.Http2,
        "kubernetes.io/ws" => PortProtocol.Http,
        "kubernetes.io/wss" => PortProtocol.Tls,
        { Length: > 0 } => Of(appProtocol),
        _ => Of(name?.Split('-')[0]),
    };

    public static PortProtocol Of(string? protocol) => protocol?.ToLowerInvariant() switch
    {
        "http" => PortProtocol.Http,
        "http2" or "grpc" or "grpc-web" => PortProtocol.Http2,
        "https" or "tls" => PortProtocol.Tls,
        "tcp" or "mongo" or "mysql" or "redis" => PortProtocol.Tcp,
        _ => PortProtocol.Auto,
    };
}
