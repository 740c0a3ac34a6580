using System.Diagnostics;

namespace Weft.Node.Network.Services;

/// <summary>
/// Another program's FORWARD chain that drops by default (Docker's, ufw's) drops pods' packets, too: one table cannot overrule another's drop. So
/// rules that let the cluster's pods pass are put at the head of that chain, marked with the cluster's name, and taken out again at the end.
/// </summary>
internal static class ForwardAllowance
{
    private static readonly string[] Places = ["/usr/sbin/iptables", "/sbin/iptables"];

    /// <returns>Whether rules were added.</returns>
    public static async Task<bool> EnsureAsync(string cluster, string clusterCidr, CancellationToken cancellationToken)
    {
        if (Places.FirstOrDefault(File.Exists) is not { } program || await RunAsync(program, ["-w", "5", "-S", "FORWARD"], cancellationToken) is not { } listing)
            return false;
        var missing = Missing(listing, cluster, clusterCidr);
        foreach (var rule in missing)
            await RunAsync(program, ["-w", "5", "-I", "FORWARD", .. rule], cancellationToken);
        return missing.Count > 0;
    }

    public static async Task RemoveAsync(string cluster, string clusterCidr, CancellationToken cancellationToken)
    {
        if (Places.FirstOrDefault(File.Exists) is not { } program || await RunAsync(program, ["-w", "5", "-S", "FORWARD"], cancellationToken) is not { } listing)
            return;
        foreach (var rule in Rules(cluster, clusterCidr).Where(rule => Has(listing, rule)))
            await RunAsync(program, ["-w", "5", "-D", "FORWARD", .. rule], cancellationToken);
    }

    /// <summary>None where nothing in the chain could drop. Pure.</summary>
    internal static IReadOnlyList<string[]> Missing(string listing, string cluster, string clusterCidr)
    {
        var lines = listing.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var drops = lines.Any(line => line is "-P FORWARD DROP" || (line.StartsWith("-A FORWARD ", StringComparison.Ordinal) && !line.Contains("--comment weft_", StringComparison.Ordinal)));
        return drops ? [.. Rules(cluster, clusterCidr).Where(rule => !Has(listing, rule))] : [];
    }

    private static IEnumerable<string[]> Rules(string cluster, string clusterCidr) =>
        ((string[])["-d", "-s"]).Select(side => (string[])[side, clusterCidr, "-m", "comment", "--comment", Comment(cluster), "-j", "ACCEPT"]);

    private static bool Has(string listing, string[] rule) => listing.Split('\n').Any(line =>
        line.StartsWith($"-A FORWARD {rule[0]} {rule[1]} ", StringComparison.Ordinal) && line.Contains(rule[5], StringComparison.Ordinal));

    private static string Comment(string cluster) => NodeFirewall.TableName(cluster);

    private static async Task<string?> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start) ?? throw new IOException("iptables did not start");
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await error;
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? output : null;
    }
}
