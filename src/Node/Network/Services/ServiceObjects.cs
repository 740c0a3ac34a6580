using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Weft.Node.Network.Services;

/// <summary>
/// The nft objects of one service. A port that has no more than its cluster address is nothing but elements: its endpoints stand numbered in a map of
/// all services, and a chain that all ports with as many endpoints share draws a number (`p-`). Any other port has a chain that picks an endpoint in
/// turn (`s-`: of all nodes, `l-`: of this node), one for what comes from outside (`x-`), one for the load balancer's source ranges (`f-`); with
/// affinity a chain and a set of clients for each endpoint (`e-`, `a-`). The shared maps lead there, so a connection costs the same with 10 services
/// or 10,000; and the kernel, which after each change of a rule walks through all chains, has few to walk through (docs/decisions/0021). Pure.
/// </summary>
internal static class ServiceObjects
{
    /// <summary>Names of chains and sets that begin so belong to services.</summary>
    public static readonly ImmutableArray<string> Prefixes = ["p-", "s-", "l-", "x-", "f-", "e-", "a-"];

    // nft takes 127 characters.
    private const int MaxName = 100;

    /// <param name="busy">Ports of this machine that a process listens on: a claim of one of them is left out.</param>
    /// <param name="refusesMeshed">Where there is no endpoint, meshed pods are refused, too; otherwise the proxy may have an answer for them.</param>
    public static NftObjects Of(ServicePlan plan, ServiceNetwork network, Func<string, int, bool> busy, bool refusesMeshed = false)
    {
        var objects = new NftObjects();
        foreach (var port in plan.Ports)
        {
            Add(objects, port, network, busy);
            // Its own address alone: others may be another service's, too, which has endpoints.
            if (refusesMeshed && port is { Protocol: "tcp", Everywhere.IsEmpty: true, ClusterIp: { } own })
                objects.Elements[new(ServiceTable.Refused, $"{own} . {port.Port}")] = "";
        }

        return objects;
    }

    private static void Add(NftObjects objects, PortPlan port, ServiceNetwork network, Func<string, int, bool> busy)
    {
        var id = Id(port);
        var (inside, withAll, withLocal) = (port.InternalLocal ? port.Here : port.Everywhere, false, false);
        if (port.ClusterIp is { } clusterIp)
        {
            if (inside.IsEmpty)
                Refuse(objects, clusterIp, port, drop: !port.Everywhere.IsEmpty);
            else if (!port.HasOutside && !port.InternalLocal && port.AffinitySeconds is null)
                Spread(objects, clusterIp, port);
            else
            {
                objects.Elements[Address(clusterIp, port)] = "goto " + (port.InternalLocal ? "l-" : "s-") + id;
                (withAll, withLocal) = (!port.InternalLocal, port.InternalLocal);
            }
        }

        if (port.HasOutside && port.Everywhere.IsEmpty)
        {
            foreach (var address in port.LoadBalancerIps.Concat(port.ExternalIps))
                Refuse(objects, address, port, drop: false);
            if (port.NodePort is { } node)
                objects.Elements[new("no_endpoint_ports", $"{port.Protocol} . {node}")] = "goto refuse";
        }
        else if (port.HasOutside)
        {
            withAll = true;
            withLocal |= port.ExternalLocal && !port.Here.IsEmpty;
            objects.Chains["x-" + id] = Outside(port, id, network);
            var guarded = "goto x-" + id;
            if (!port.SourceRanges.IsEmpty)
            {
                objects.Chains["f-" + id] = string.Concat(port.SourceRanges.Select(range => range == "0.0.0.0/0" ? $"goto x-{id}\n" : $"ip saddr {range} goto x-{id}\n")) + "drop";
                guarded = "goto f-" + id;
            }
            foreach (var address in port.LoadBalancerIps)
                objects.Elements[Address(address, port)] = guarded;
            foreach (var address in port.ExternalIps)
                objects.Elements[Address(address, port)] = "goto x-" + id;
            if (port.NodePort is { } node)
                objects.Elements[new("node_ports", $"{port.Protocol} . {node}")] = "goto x-" + id;
            if (port.ClaimsOwnPort && !busy(port.Protocol, port.Port))
                objects.Elements[OwnPort(port)] = guarded;
        }

        if (withAll)
            objects.Chains["s-" + id] = Pick(port, port.Everywhere, id);
        if (withLocal)
            objects.Chains["l-" + id] = Pick(port, port.Here, id);
        foreach (var backend in (ImmutableArray<Backend>)[.. withAll ? port.Everywhere : [], .. withLocal ? port.Here : []])
        {
            if (backend.Local)
                objects.Elements[new("hairpin", $"{backend.Address} . {backend.Address}")] = "";
            if (port.AffinitySeconds is { } seconds)
            {
                var clients = Clients(id, backend, seconds);
                objects.Sets[clients] = $"type ipv4_addr; flags dynamic, timeout; timeout {seconds}s;";
                objects.Chains[Endpoint(id, backend)] = $"update @{clients} {{ ip saddr }}\nmeta l4proto {port.Protocol} dnat ip to {backend}";
            }
        }
    }

    private static void Spread(NftObjects objects, string clusterIp, PortPlan port)
    {
        var count = port.Everywhere.Length;
        var chain = $"p-{port.Protocol}-{count}";
        objects.Elements[Address(clusterIp, port)] = "goto " + chain;
        for (var i = 0; i < count; i++)
        {
            var backend = port.Everywhere[i];
            objects.Elements[new(port.Protocol + "_endpoints", $"{clusterIp} . {port.Port} . {i}")] = $"{backend.Address} . {backend.Port}";
            if (backend.Local)
                objects.Elements[new("hairpin", $"{backend.Address} . {backend.Address}")] = "";
        }
        // A packet that meets the chain of before and the map of after may draw a number that is gone; the first endpoint is always there.
        var draw = $"meta l4proto {port.Protocol} dnat ip to ip daddr . th dport . numgen random mod {{0}} map @{port.Protocol}_endpoints";
        objects.Chains[chain] = string.Format(CultureInfo.InvariantCulture, count == 1 ? draw : draw + "\n" + draw.Replace("{0}", "1", StringComparison.Ordinal), count);
    }

    /// <summary>The claim of a port of the machine's own addresses.</summary>
    public static NftElement OwnPort(PortPlan port) => new("own_ports", $"{port.Protocol} . {port.Port}");

    private static string Outside(PortPlan port, string id, ServiceNetwork network)
    {
        var masquerade = $"meta mark set meta mark or {NetworkMarks.Hex(NetworkMarks.Masquerade)}";
        if (!port.ExternalLocal)
            return $"{masquerade} goto s-{id}";
        // Within the cluster every endpoint is as good: who is inside need not be sent to this node's own, and the source is not the question.
        return $"""
            ip saddr {network.ClusterCidr} goto s-{id}
            fib saddr type local {masquerade} goto s-{id}
            {(port.Here.IsEmpty ? "drop" : $"goto l-{id}")}
            """;
    }

    private static string Pick(PortPlan port, ImmutableArray<Backend> backends, string id)
    {
        if (port.AffinitySeconds is not { } seconds)
        {
            return backends.Length == 1
                ? $"meta l4proto {port.Protocol} dnat ip to {backends[0]}"
                : $"meta l4proto {port.Protocol} dnat ip to numgen inc mod {backends.Length} map {{ {Numbered(backends.Select(b => $"{b.Address} . {b.Port}"))} }}";
        }
        var known = backends.Select(backend => $"ip saddr @{Clients(id, backend, seconds)} goto {Endpoint(id, backend)}\n");
        return string.Concat(known) + (backends.Length == 1
            ? $"goto {Endpoint(id, backends[0])}"
            : $"numgen inc mod {backends.Length} vmap {{ {Numbered(backends.Select(b => "goto " + Endpoint(id, b)))} }}");
    }

    private static string Numbered(IEnumerable<string> values) => string.Join(", ", values.Select((value, i) => string.Create(CultureInfo.InvariantCulture, $"{i} : {value}")));

    private static void Refuse(NftObjects objects, string address, PortPlan port, bool drop) =>
        objects.Elements[new("no_endpoints", $"{address} . {port.Protocol} . {port.Port}")] = drop ? "drop" : "goto refuse";

    private static NftElement Address(string address, PortPlan port) => new("service_ips", $"{address} . {port.Protocol} . {port.Port}");

    private static string Endpoint(string id, Backend backend) => $"e-{id[..8]}-{backend.Address}/{backend.Port}";

    // The time is in the name: a set cannot change it.
    private static string Clients(string id, Backend backend, int seconds) => $"a-{id[..8]}-{backend.Address}/{backend.Port}-{seconds}";

    private static string Id(PortPlan port)
    {
        var whole = $"{port.Service}/{port.Protocol}/{port.Port}";
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(whole)).AsSpan(0, 4));
        return $"{hash}-{(whole.Length > MaxName ? whole[..MaxName] : whole)}";
    }
}
