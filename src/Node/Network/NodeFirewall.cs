using System.Diagnostics;

namespace Weft.Node.Network;

/// <summary>
/// The node's own nft table: pods reach the world under the machine's address, and a pod cannot send from an address that is not its own.
/// One table with one name, so that taking it away takes everything away.
/// </summary>
internal static class NodeFirewall
{
    public static string TableName(string cluster) => "weft_" + string.Concat(cluster.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    /// <summary>The whole table, replaced in one transaction. Pure.</summary>
    public static string Ruleset(string cluster, string podCidr, string clusterCidr)
    {
        var table = TableName(cluster);
        return $$"""
            table ip {{table}}
            delete table ip {{table}}
            table ip {{table}} {
              chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr {{clusterCidr}} ip daddr != {{clusterCidr}} ip daddr != 224.0.0.0/4 masquerade
              }
              chain prerouting {
                type filter hook prerouting priority raw; policy accept;
                iifname "veth*" ip saddr {{podCidr}} fib saddr . iif oif missing drop
              }
            }

            """;
    }

    /// <exception cref="IOException">nft is missing or refused the rules.</exception>
    public static Task ApplyAsync(string cluster, string podCidr, string clusterCidr) => RunAsync(Ruleset(cluster, podCidr, clusterCidr));

    public static Task RemoveAsync(string cluster)
    {
        var table = TableName(cluster);
        // Made first, so that deleting it never fails for its absence.
        return RunAsync($"table ip {table}\ndelete table ip {table}\n");
    }

    /// <summary>Whether another cluster's node has its table on this machine.</summary>
    public static async Task<bool> HasOtherNodesAsync(string cluster)
    {
        var start = new ProcessStartInfo(Program()) { RedirectStandardOutput = true, UseShellExecute = false, ArgumentList = { "list", "tables" } };
        using var process = Process.Start(start) ?? throw new IOException("nft did not start");
        var tables = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return tables.Split('\n', StringSplitOptions.TrimEntries).Any(line => line.StartsWith("table ip weft_", StringComparison.Ordinal) && line != "table ip " + TableName(cluster));
    }

    private static string Program() =>
        new[] { "/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft" }.FirstOrDefault(File.Exists)
        ?? throw new IOException("nft is missing: install the package nftables (apt-get install nftables)");

    private static async Task RunAsync(string rules)
    {
        var start = new ProcessStartInfo(Program()) { RedirectStandardInput = true, RedirectStandardError = true, UseShellExecute = false, ArgumentList = { "-f", "-" } };
        using var process = Process.Start(start) ?? throw new IOException("nft did not start");
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(rules);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new IOException($"nft refused the node's rules: {(await errors).Trim()}");
    }
}
