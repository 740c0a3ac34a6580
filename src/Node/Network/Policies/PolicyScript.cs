using System.Text;
using Weft.Api.Istio;
using Weft.Node.Network.Nftables;

namespace Weft.Node.Network.Policies;

/// <summary>
/// The commands that make one model into another, as one transaction of nft. The table is the policies' own: its whole content is replaced when anything
/// is not as expected. It hooks in where packets are forwarded, after services have been translated: the address that is judged is the pod's own. What
/// the node itself sends to its pods (probes), and pods to their node, does not come by there: Kubernetes' rule is that it always passes.
/// </summary>
/// <remarks>
/// What the mesh captures is not forwarded either: it ends in the proxy, and another connection goes on from there. So the same judges sit where the proxy opens
/// that connection, under the address of the pod that asked; one that it opens to a judged pod under this node's address is nobody's whom a policy could allow.
/// And they sit where a captured connection to a pod's own address comes in, whatever the proxy does with it.
/// A connection that stands is judged only where the proxy opened it: it may keep one for requests that come later. One that is denied by now is reset, so that the proxy gives it up; the next
/// one meets the denial. What has no owner any more (sockets that were closed and wait for the end, the agent's among them) carries nothing new.
/// </remarks>
internal static class PolicyScript
{
    /// <summary>The last rule of each chain: what none before it allows.</summary>
    public const string Denied = "goto denied";

    private static readonly NftSetType Verdicts = NftSetType.Parse("ipv4_addr : verdict"), Pods = NftSetType.Parse(PolicyCompiler.Addresses), Ports = NftSetType.Parse(PolicyCompiler.Endpoints);

    /// <summary>The type of a map or set, by its name.</summary>
    public static NftSetType? TypeOf(string name) => name switch
    {
        "ingress" or "egress" => Verdicts,
        ['p', 'o', 'd', 's', '_', ..] => Pods,
        ['p', 'o', 'r', 't', 's', '_', ..] => Ports,
        _ => null,
    };

    public static string Table(string cluster) => "weftpolicy_" + NodeFirewall.TableName(cluster)["weft_".Length..];

    /// <summary>Everything anew.</summary>
    public static string Full(string cluster, PolicyModel model)
    {
        var table = Table(cluster);
        var mesh = NetworkMarks.Hex(NetworkMarks.Mesh | NetworkMarks.Captured);
        var captured = NetworkMarks.Hex(NetworkMarks.Mesh | NetworkMarks.Captured | NetworkMarks.ToPod);
        return $$"""
            table ip {{table}}
            delete table ip {{table}}
            table ip {{table}} {
              map ingress { type ipv4_addr : verdict; }
              map egress { type ipv4_addr : verdict; }
              chain forward {
                type filter hook forward priority filter; policy accept;
                ct state established,related accept
                ip saddr vmap @egress
                ip daddr vmap @ingress
              }
              chain captured {
                type filter hook input priority filter; policy accept;
                meta mark and {{captured}} != {{captured}} accept
                ct state established,related accept
                iif "lo" accept
                tcp dport {{MeshPorts.Hbone}} accept
                ip saddr vmap @egress
                ip daddr vmap @ingress
              }
              chain proxied {
                type filter hook output priority filter; policy accept;
                meta mark and {{mesh}} != {{NetworkMarks.Hex(NetworkMarks.Mesh)}} accept
                ct direction reply accept
                meta skuid 0 fib saddr type local accept
                ct state new goto judged
                meta skuid != 0 goto judged
              }
              chain judged {
                ip saddr vmap @egress
                ip daddr vmap @ingress
              }
              chain denied {
                ct state established meta l4proto tcp reject with tcp reset
                drop
              }
            }

            """ + Change(cluster, PolicyModel.Empty, model);
    }

    public static string Remove(string cluster) => $"table ip {Table(cluster)}\ndelete table ip {Table(cluster)}\n";

    /// <summary>Empty when nothing differs.</summary>
    public static string Change(string cluster, PolicyModel old, PolicyModel @new)
    {
        var table = Table(cluster);
        var script = new StringBuilder();
        foreach (var (name, set) in @new.Sets)
        {
            var before = old.Sets.GetValueOrDefault(name);
            if (before is null)
                script.Append($"add set ip {table} {name} {{ type {set.Type}; }}\n");
            Elements("delete", name, before?.Elements.Except(set.Elements) ?? []);
            Elements("add", name, before is null ? set.Elements : set.Elements.Except(before.Elements));
        }

        foreach (var (name, lines) in @new.Chains)
        {
            if (old.Chains.ContainsKey(name))
                continue;
            script.Append($"add chain ip {table} {name}\n");
            foreach (var line in lines)
                script.Append($"add rule ip {table} {name} {line}\n");
        }

        Judges("ingress", old.Ingress, @new.Ingress);
        Judges("egress", old.Egress, @new.Egress);
        foreach (var name in old.Chains.Keys.Where(name => !@new.Chains.ContainsKey(name)))
            script.Append($"flush chain ip {table} {name}\ndelete chain ip {table} {name}\n");
        foreach (var name in old.Sets.Keys.Where(name => !@new.Sets.ContainsKey(name)))
            script.Append($"delete set ip {table} {name}\n");
        return script.ToString();

        void Elements(string verb, string set, IReadOnlyCollection<string> elements)
        {
            if (elements.Count > 0)
                script.Append($"{verb} element ip {table} {set} {{ {string.Join(", ", elements)} }}\n");
        }

        void Judges(string map, IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after)
        {
            Elements("delete", map, [.. before.Where(one => after.GetValueOrDefault(one.Key) != one.Value).Select(one => $"{one.Key} : jump {one.Value}")]);
            Elements("add", map, [.. after.Where(one => before.GetValueOrDefault(one.Key) != one.Value).Select(one => $"{one.Key} : jump {one.Value}")]);
        }
    }
}
