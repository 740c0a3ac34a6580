using System.Text;
using Weft.Node.Network.Nftables;

namespace Weft.Node.Network.Services;

/// <summary>The chains and maps that all services share. Pure.</summary>
internal static class ServiceTable
{
    // Typed by expressions, for nft has no name for the type of a drawn number; by those of the protocol, or it takes the map for another protocol's.
    private const string Endpoints = "typeof ip daddr . {0} dport . numgen random mod 2 : ip daddr . {0} dport;";

    private static readonly (string Name, string Declaration, NftSetType Type)[] Shared =
    [
        Map("service_ips", "ipv4_addr . inet_proto . inet_service : verdict"),
        Map("node_ports", "inet_proto . inet_service : verdict"),
        Map("own_ports", "inet_proto . inet_service : verdict"),
        Map("host_ports", "inet_proto . inet_service : ipv4_addr . inet_service"),
        Map("host_addresses", "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service"),
        Map("no_endpoints", "ipv4_addr . inet_proto . inet_service : verdict"),
        Map("no_endpoint_ports", "inet_proto . inet_service : verdict"),
        .. ((string[])["tcp", "udp"]).Select(protocol => (protocol + "_endpoints", Endpoints.Replace("{0}", protocol, StringComparison.Ordinal),
            NftSetType.Parse("ipv4_addr . inet_service . integer : ipv4_addr . inet_service"))),
    ];

    private static readonly NftSetType Hairpins = NftSetType.Parse("ipv4_addr . ipv4_addr");

    private const string Hairpin = "hairpin";
    private static readonly NftSetType RefusedType = NftSetType.Parse("ipv4_addr . inet_service");

    /// <summary>Addresses and TCP ports without endpoints that are not captured, so that they are refused.</summary>
    public const string Refused = "refused";

    /// <summary>Makes the set where it is missing.</summary>
    public static string AddRefused(string table) => $"add set ip {table} {Refused} {{ type ipv4_addr . inet_service; }}\n";

    /// <summary>The type of a map or set that services put elements into.</summary>
    public static NftSetType? TypeOf(string name) => name == Hairpin ? Hairpins : name == Refused ? RefusedType : Shared.FirstOrDefault(map => map.Name == name).Type;

    private static (string, string, NftSetType) Map(string name, string type) => (name, $"type {type};", NftSetType.Parse(type));

    /// <summary>The whole table's services in one transaction, whatever an earlier run left there: no packet meets half of it, and clients keep their endpoints.</summary>
    /// <param name="present">Chains and sets of services that are in the table.</param>
    public static string Whole(ServiceNetwork network, IReadOnlyCollection<string> present, NftLedger ledger)
    {
        var table = NodeFirewall.TableName(network.ClusterName);
        var script = new StringBuilder();
        script.Append($"add table ip {table}\n");
        foreach (var (name, declaration, _) in Shared)
            script.Append($"add map ip {table} {name} {{ {declaration} }}\nflush map ip {table} {name}\n");
        script.Append($"add set ip {table} {Hairpin} {{ type ipv4_addr . ipv4_addr; }}\nflush set ip {table} {Hairpin}\n");
        script.Append(AddRefused(table)).Append($"flush set ip {table} {Refused}\n");
        foreach (var (name, hook, rules) in Chains(network))
        {
            script.Append($"add chain ip {table} {name}{(hook.Length > 0 ? $" {{ {hook}; policy accept; }}" : "")}\nflush chain ip {table} {name}\n");
            foreach (var rule in rules)
                script.Append($"add rule ip {table} {name} {rule}\n");
        }
        foreach (var name in present.Where(IsChain))
            script.Append($"flush chain ip {table} {name}\n");
        script.Append(ledger.Everything());

        var kept = ledger.Names();
        foreach (var name in present.Where(name => IsChain(name) && !kept.Contains(name)))
            script.Append($"delete chain ip {table} {name}\n");
        foreach (var name in present.Where(name => !IsChain(name) && !kept.Contains(name)))
            script.Append($"delete set ip {table} {name}\n");
        return script.ToString();
    }

    private static bool IsChain(string name) => !name.StartsWith("a-", StringComparison.Ordinal);

    /// <summary>Chains and sets of services in what `nft -t list table` prints.</summary>
    public static IReadOnlyList<string> Names(string listing) =>
    [
        .. listing.Split('\n', StringSplitOptions.TrimEntries).Select(line => line.Split(' '))
            .Where(words => words is ["chain" or "set", _, "{"] && ServiceObjects.Prefixes.Any(prefix => words[1].StartsWith(prefix, StringComparison.Ordinal)))
            .Select(words => words[1]),
    ];

    private static IEnumerable<(string Name, string Hook, string[] Rules)> Chains(ServiceNetwork network)
    {
        var (mesh, masquerade) = (NetworkMarks.Hex(NetworkMarks.Mesh), NetworkMarks.Hex(NetworkMarks.Masquerade));
        var own = $"fib daddr type local ip daddr != {{ {network.ServiceCidr}, {network.LoadBalancerPool} }}";
        // In the order in which they lead to each other.
        yield return ("refuse", "", ["meta l4proto tcp reject with tcp reset", "reject with icmp type port-unreachable"]);
        yield return ("unserved", "",
        [
            $"meta mark and {mesh} == {mesh} accept",
            "ip daddr . meta l4proto . th dport vmap @no_endpoints",
            $"{own} meta l4proto . th dport vmap @no_endpoint_ports",
            // The route of the service range leads nowhere: what no service answered would circle.
            $"ip daddr {network.ServiceCidr} fib daddr type != local goto refuse",
        ]);
        yield return ("services", "",
        [
            $"meta mark and {mesh} == {mesh} accept",
            "ip daddr . meta l4proto . th dport vmap @service_ips",
            // Of this machine alone: a pod that names another's address, or a service's, gets nothing of it.
            $"{own} meta l4proto {{ tcp, udp }} dnat ip to ip daddr . meta l4proto . th dport map @host_addresses",
            $"{own} meta l4proto {{ tcp, udp }} dnat ip to meta l4proto . th dport map @host_ports",
            $"{own} meta l4proto . th dport vmap @node_ports",
            // The front door's listeners have the gateway: what comes to them has been led here, and would be led on to another node's door, and back.
            $"{own} ip daddr != {network.Gateway} meta l4proto . th dport vmap @own_ports",
        ]);
        yield return ("service_prerouting", $"type nat hook prerouting priority {NetworkMarks.DestinationPriority}", ["jump services"]);
        yield return ("service_output", $"type nat hook output priority {NetworkMarks.DestinationPriority}", ["jump services"]);
        yield return ("service_postrouting", $"type nat hook postrouting priority {NetworkMarks.SourcePriority}",
        [
            $"meta mark and {masquerade} == {masquerade} masquerade",
            // A pod that reaches itself through a service would answer itself directly, past the translation.
            "ct status dnat ip saddr . ip daddr @hairpin masquerade",
            $"ct status dnat ip saddr 127.0.0.0/8 oifname != \"lo\" masquerade",
            // From beyond the cluster to a service address: another node's pod would answer past this node.
            $"ct status dnat ct original ip daddr {network.ServiceCidr} ip saddr != {network.ClusterCidr} fib saddr type != local masquerade",
        ]);
        foreach (var hook in (string[])["input", "forward", "output"])
            yield return ("service_" + (hook == "output" ? "sending" : hook), $"type filter hook {hook} priority {NetworkMarks.FilterPriority}", ["ct state new jump unserved"]);
    }
}
