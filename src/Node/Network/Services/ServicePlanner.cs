using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;

namespace Weft.Node.Network.Services;

/// <summary>What this node is to do for a service. Pure: from the service, its slices and facts of the node.</summary>
internal static class ServicePlanner
{
    public const string ServiceLabel = "kubernetes.io/service-name";

    // Kubernetes' three hours.
    private const int DefaultAffinity = 10800;

    /// <returns>Null when the node has nothing to do: headless, ExternalName, without an IPv4 address.</returns>
    public static ServicePlan? Plan(Service service, IReadOnlyList<EndpointSlice> slices, ServiceNetwork network)
    {
        var spec = service.Spec;
        if (spec.Type == "ExternalName" || spec.ClusterIP is null or "" or "None")
            return null;
        var clusterIp = Addresses([spec.ClusterIP, .. spec.ClusterIPs]).FirstOrDefault();
        if (clusterIp == network.DnsAddress)
            clusterIp = null;   // the DNS server listens there itself
        var balancer = spec.Type == "LoadBalancer" ? network.Outside(Addresses(Ingress(service))) : [];
        var external = network.Foreign(Addresses(spec.ExternalIPs));
        if (clusterIp is null && balancer.IsEmpty && external.IsEmpty)
            return null;

        var outside = spec.Type is "NodePort" or "LoadBalancer";
        var name = $"{service.Metadata.Namespace}/{service.Metadata.Name}";
        var ports = ImmutableArray.CreateBuilder<PortPlan>();
        foreach (var port in spec.Ports)
        {
            if (Protocol(port.Protocol) is not { } protocol)
                continue;
            var (everywhere, here) = Backends(slices, port, network.NodeName);
            ports.Add(new PortPlan
            {
                Service = name,
                Protocol = protocol,
                Port = port.Port,
                ClusterIp = clusterIp,
                NodePort = outside && port.NodePort is > 0 ? port.NodePort : null,
                LoadBalancerIps = balancer,
                ExternalIps = external,
                ClaimsOwnPort = !balancer.IsEmpty,
                SourceRanges = spec.Type == "LoadBalancer" ? Ranges(spec.LoadBalancerSourceRanges) : [],
                Everywhere = everywhere,
                Here = here,
                InternalLocal = spec.InternalTrafficPolicy == "Local",
                ExternalLocal = spec.ExternalTrafficPolicy == "Local",
                AffinitySeconds = spec.SessionAffinity == "ClientIP" ? spec.SessionAffinityConfig?.ClientIP?.TimeoutSeconds ?? DefaultAffinity : null,
            });
        }
        // The front door goes before all others, as if it had always been there: it serves hosts by name, and whoever shares a port with it can be one of them.
        var isDoor = service.Metadata is { Namespace: "istio-system", Name: "istio-ingressgateway" } && service.Metadata.Labels.ContainsKey("weft.dev/front-door");
        return new ServicePlan(name, isDoor ? $" {name}" : $"{service.Metadata.CreationTimestamp?.UtcDateTime.ToString("s", CultureInfo.InvariantCulture)} {name}", ports.ToImmutable());
    }

    // Ready ones; where there is none, those that end but still serve: a rolling update that is too fast then loses less (KEP-1669).
    private static (ImmutableArray<Backend> Everywhere, ImmutableArray<Backend> Here) Backends(IReadOnlyList<EndpointSlice> slices, ServicePort port, string node)
    {
        var (ready, ending) = (new SortedSet<Backend>(ByAddress), new SortedSet<Backend>(ByAddress));
        foreach (var slice in slices.Where(slice => slice.AddressType == "IPv4"))
        {
            foreach (var target in slice.Ports)
            {
                if ((target.Name ?? "") != (port.Name ?? "") || (target.Protocol ?? "TCP") != (port.Protocol ?? "TCP") || target.Port is not { } number)
                    continue;
                foreach (var endpoint in slice.Endpoints)
                {
                    var set = endpoint.Conditions?.Ready != false ? ready
                        : endpoint.Conditions is { Serving: true, Terminating: true } ? ending : null;
                    // One address counts, as Kubernetes' proxy does it: the others are other names of the same pod.
                    if (set is not null && Addresses(endpoint.Addresses).FirstOrDefault() is { } address)
                        set.Add(new Backend(address, number, endpoint.NodeName == node));
                }
            }
        }
        return (Choose(ready, ending), Choose([.. ready.Where(backend => backend.Local)], [.. ending.Where(backend => backend.Local)]));

        static ImmutableArray<Backend> Choose(IReadOnlyCollection<Backend> ready, IReadOnlyCollection<Backend> ending) => [.. ready.Count > 0 ? ready : ending];
    }

    private static readonly Comparer<Backend> ByAddress = Comparer<Backend>.Create(static (left, right) =>
        string.CompareOrdinal(left.Address, right.Address) is var order and not 0 ? order : left.Port.CompareTo(right.Port));

    // An entry with ipMode Proxy is an address that must not be short-cut.
    private static IEnumerable<string?> Ingress(Service service) =>
        service.Status.LoadBalancer?.Ingress.Where(entry => entry.IpMode != "Proxy").Select(entry => entry.Ip) ?? [];

    // Parsed and printed again: what stands in an object must not end up in a script of nft as it is.
    private static ImmutableArray<string> Addresses(IEnumerable<string?> texts) =>
        [.. texts.Select(text => IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() : null).OfType<string>().Distinct()];

    private static ImmutableArray<string> Ranges(IReadOnlyList<string> texts) =>
    [
        .. texts.Select(text => IPNetwork.TryParse(text.Trim(), out var range) && range.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? range.ToString() : null)
            .OfType<string>().Distinct().Order(StringComparer.Ordinal),
    ];

    private static string? Protocol(string? protocol) => protocol switch { null or "TCP" => "tcp", "UDP" => "udp", _ => null };
}
