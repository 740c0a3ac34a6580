namespace Weft.Node.Network;

/// <summary>
/// The node's own nft table: pods reach the world under the machine's address, and a pod cannot send from an address that is not its own.
/// One table with one name, so that taking it away takes everything away.
/// </summary>
internal static class NodeFirewall
{
    public static string TableName(string cluster) => "weft_" + string.Concat(cluster.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    /// <summary>
    /// The node's own chains, replaced in one transaction. What other parts keep in the table stays: services go on while the agent starts. Pure.
    /// </summary>
    /// <remarks>
    /// A pod's link brings that pod's address and no other, of the cluster or of the world: whoever may forge the address of a stranger has the DNS
    /// server, or another pod, answer him.
    /// </remarks>
    /// <param name="podCidr">Of this node: nothing but the pod's own link may bring these sources.</param>
    /// <param name="clusterCidr">Of all nodes.</param>
    public static string Ruleset(string cluster, string podCidr, string clusterCidr)
    {
        var table = TableName(cluster);
        return $$"""
            table ip {{table}} {
              chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
              }
              chain prerouting {
                type filter hook prerouting priority raw; policy accept;
              }
            }
            flush chain ip {{table}} postrouting
            flush chain ip {{table}} prerouting
            table ip {{table}} {
              chain postrouting {
                oifname != "lo" ip saddr {{clusterCidr}} ip daddr != {{clusterCidr}} ip daddr != 224.0.0.0/4 masquerade
              }
              chain prerouting {
                iifname "veth*" fib saddr . iif oif missing drop
                iifname != "lo" ip saddr {{podCidr}} fib saddr . iif oif missing drop
                iifname != "lo" ip saddr 127.0.0.0/8 drop
                iifname != "lo" ip daddr 127.0.0.0/8 drop
              }
            }

            """;
    }

    /// <exception cref="IOException">nft is missing or refused the rules.</exception>
    public static async Task ApplyAsync(string cluster, string podCidr, string clusterCidr)
    {
        try
        {
            await Nft.RunAsync(Ruleset(cluster, podCidr, clusterCidr));
        }
        catch (IOException)
        {
            // A table of another version, whose chains have the same names and other hooks: a new table. If that fails too, it is told.
            await Nft.RunAsync(Emptied(cluster) + Ruleset(cluster, podCidr, clusterCidr));
        }
    }

    // Made first, so that deleting it never fails for its absence.
    public static Task RemoveAsync(string cluster) => Nft.RunAsync(Emptied(cluster) + Policies.PolicyScript.Remove(cluster));

    private static string Emptied(string cluster) => $"table ip {TableName(cluster)}\ndelete table ip {TableName(cluster)}\n";

    /// <summary>Whether another cluster's node has its table on this machine.</summary>
    public static async Task<bool> HasOtherNodesAsync(string cluster)
    {
        var tables = await Nft.ReadAsync(["list", "tables"]);
        return tables.Split('\n', StringSplitOptions.TrimEntries).Any(line => line.StartsWith("table ip weft_", StringComparison.Ordinal) && line != "table ip " + TableName(cluster));
    }
}
