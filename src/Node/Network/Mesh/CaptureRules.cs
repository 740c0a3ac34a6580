using System.Text;
using Weft.Api.Istio;
using Weft.Node.Network.Nftables;
using Weft.Node.Network.Services;

namespace Weft.Node.Network.Mesh;

/// <summary>
/// The chains that lead the TCP of meshed pods to the node's proxy, by TPROXY: addresses stay as they are, the proxy's socket has the original destination for
/// its own and the source for its peer. They stand in the node's table, beside those of services. Pure.
/// </summary>
/// <remarks>
/// What goes wrong fails closed: without a listening socket tproxy passes on to the next rule, and that one drops.
/// </remarks>
internal static class CaptureRules
{
    /// <summary>Addresses of the meshed pods of this node.</summary>
    public const string Pods = "mesh_pods";

    private static readonly NftSetType Addresses = NftSetType.Parse("ipv4_addr");
    private static readonly string[] Names = ["mesh_prerouting", "mesh_translated", "mesh_output", "mesh_forward", "mesh_outbound", "mesh_inbound"];

    /// <summary>From which the mesh gives hosts addresses for the TCP of its pods (Weft.Proxy.Config.Units.AllocatedAddresses). Class E (RFC 1112, section 4), which some use inside all the same: for whom the mesh is nothing it stays theirs.</summary>
    private const string Given = "240.240.0.0/16";

    /// <summary>A chain that is there exactly when the rules are.</summary>
    public const string Sign = "mesh_prerouting";

    public static NftSetType? TypeOf(string name) => name == Pods ? Addresses : null;

    /// <summary>Everything anew, in one transaction: no packet of a pod that is meshed before and after meets a table without it.</summary>
    public static string Whole(ServiceNetwork network, IReadOnlyCollection<string> pods)
    {
        var table = NodeFirewall.TableName(network.ClusterName);
        var script = new StringBuilder();
        script.Append($"add table ip {table}\nadd set ip {table} {Pods} {{ type ipv4_addr; }}\nflush set ip {table} {Pods}\n").Append(ServiceTable.AddRefused(table));
        script.Append(Add(network, pods));
        var chains = Chains(network).ToList();
        foreach (var (name, hook, _) in chains)
            script.Append($"add chain ip {table} {name}{(hook.Length > 0 ? $" {{ {hook}; policy accept; }}" : "")}\nflush chain ip {table} {name}\n");
        foreach (var (name, _, rules) in chains)
        {
            foreach (var rule in rules)
                script.Append($"add rule ip {table} {name} {rule}\n");
        }
        return script.ToString();
    }

    public static string Add(ServiceNetwork network, IReadOnlyCollection<string> pods) => Change("add", network, pods);

    public static string Remove(ServiceNetwork network, IReadOnlyCollection<string> pods) => Change("delete", network, pods);

    /// <summary>Takes all away, of a table that has it or not: a cluster whose mesh was turned off.</summary>
    public static string None(ServiceNetwork network)
    {
        var table = NodeFirewall.TableName(network.ClusterName);
        var script = new StringBuilder($"add table ip {table}\nadd set ip {table} {Pods} {{ type ipv4_addr; }}\n");
        // Made first, so that deleting never fails; a base chain may be added again without its hook.
        foreach (var name in Names)
            script.Append($"add chain ip {table} {name}\nflush chain ip {table} {name}\n");
        foreach (var name in Names)
            script.Append($"delete chain ip {table} {name}\n");
        return script.Append($"delete set ip {table} {Pods}\n").ToString();
    }

    private static string Change(string verb, ServiceNetwork network, IReadOnlyCollection<string> pods) =>
        pods.Count == 0 ? "" : $"{verb} element ip {NodeFirewall.TableName(network.ClusterName)} {Pods} {{ {string.Join(", ", pods)} }}\n";

    private static IEnumerable<(string Name, string Hook, string[] Rules)> Chains(ServiceNetwork network)
    {
        var (mesh, captured) = (NetworkMarks.Hex(NetworkMarks.Mesh), NetworkMarks.Hex(NetworkMarks.Captured));
        var (both, inbound) = (NetworkMarks.Hex(NetworkMarks.Mesh | NetworkMarks.Captured), NetworkMarks.Hex(NetworkMarks.Mesh | NetworkMarks.Captured | NetworkMarks.ToPod));
        var proxy = network.DnsAddress;
        var own = $"meta mark and {both} == {mesh}";
        string[] remember =
        [
            // Whatever the connection table says of the flow: a new connection is captured, so that nobody passes by looking like an old one.
            $"tcp flags and (syn | ack) == syn ct mark set ct mark or {captured}",
            // Opened before its pod was captured (the mesh was turned on meanwhile): it goes on as it began.
            $"ct mark and {captured} == 0 accept",
        ];

        yield return ("mesh_prerouting", $"type filter hook prerouting priority {NetworkMarks.CapturePriority}",
        [
            "meta l4proto != tcp accept",
            // Led there, a packet keeps its destination: one that names these ports itself comes from somebody who wants to speak past the capture.
            $"ip daddr {proxy} tcp dport {{ {MeshPorts.Outbound}, {MeshPorts.Inbound}, {MeshPorts.Hbone} }} drop",
            $"{own} accept",
            // Of a captured connection, and answers to what the proxy opened from another's address.
            $"socket transparent 1 meta mark set meta mark or {both} accept",
            "ct direction reply accept",
            "iif \"lo\" accept",
            $"ip saddr @{Pods} goto mesh_outbound",
        ]);
        yield return ("mesh_translated", $"type filter hook prerouting priority {NetworkMarks.TranslatedCapturePriority}",
        [
            "meta l4proto != tcp accept",
            $"meta mark and {mesh} == {mesh} accept",
            // Known by its translated addresses: it came by way of a service or a node port.
            $"socket transparent 1 meta mark set meta mark or {both} accept",
            "ct direction reply accept",
            $"ip daddr @{Pods} goto mesh_inbound",
        ]);
        yield return ("mesh_output", $"type route hook output priority {NetworkMarks.TranslatedCapturePriority}",
        [
            "meta l4proto != tcp accept",
            $"{own} ct direction original ct mark set ct mark or {mesh} accept",
            $"{own} accept",
            // What a process of this machine answers to the proxy, which asked from a pod's address: to the proxy, not to the pod.
            $"ct direction reply ct mark and {mesh} == {mesh} meta mark set meta mark or {captured} accept",
            "ct direction reply accept",
            $"ip daddr != @{Pods} accept",
            .. remember,
            // By the loopback interface it comes to prerouting, and there to the pod's inbound side.
            $"meta mark set meta mark or {captured}",
        ]);
        // What was not captured on its way to such an address has nowhere to go, and is told so. New alone: what answers somebody who has such an address goes its way.
        var lost = $"ct state new ip saddr @{Pods} ip daddr {Given}";
        yield return ("mesh_forward", $"type filter hook forward priority {NetworkMarks.FilterPriority}", [$"{lost} meta l4proto tcp reject with tcp reset", $"{lost} reject with icmp type port-unreachable"]);
        yield return ("mesh_outbound", "",
        [
            // The DNS server, the API server, what this machine serves on its own addresses: whatever the proxy does, these are reached.
            "fib daddr type local accept",
            $"ip daddr {network.ApiAddress} accept",
            // Nobody is there, and no rule speaks for it: it is refused further on, as for everybody.
            $"ip daddr . tcp dport @{ServiceTable.Refused} accept",
            // The proxy speaks under this address and port: the pod may end that connection, and put nothing into it.
            $"ct mark and {mesh} == {mesh} tcp flags and (syn | rst) == 0 drop",
            .. remember,
            $"meta l4proto tcp tproxy to {proxy}:{MeshPorts.Outbound} meta mark set meta mark or {both} accept",
            "drop",
        ]);
        yield return ("mesh_inbound", "",
        [
            .. remember,
            $"tcp dport {MeshPorts.Hbone} tproxy to {proxy}:{MeshPorts.Hbone} meta mark set meta mark or {inbound} accept",
            $"tcp dport != {MeshPorts.Hbone} tproxy to {proxy}:{MeshPorts.Inbound} meta mark set meta mark or {inbound} accept",
            "drop",
        ]);
    }
}
