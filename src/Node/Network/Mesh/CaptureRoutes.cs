using System.Diagnostics;
using System.Net;

namespace Weft.Node.Network.Mesh;

/// <summary>
/// A routing rule and a table that deliver captured packets on this machine, whatever their destination. Each cluster of a machine has its own, told apart by its
/// range of pods, so that one that goes takes nothing of another's; they all say the same.
/// </summary>
internal static class CaptureRoutes
{
    // Far above the numbers that people and other programs give tables (rt_tables(5) names those to 255; Tailscale has 52, Cilium 2004 and 2005).
    private const uint FirstTable = 77_330_000;

    /// <summary>Clusters of one machine have disjoint ranges, each a /16.</summary>
    internal static uint Table(string clusterCidr)
    {
        var bytes = IPNetwork.Parse(clusterCidr).BaseAddress.GetAddressBytes();
        return FirstTable + (uint)((bytes[0] << 8) | bytes[1]);
    }

    public static async Task EnsureAsync(string clusterCidr, CancellationToken cancellationToken)
    {
        var table = Table(clusterCidr);
        // The same rule added again would stand twice.
        var isThere = (await IpAsync(cancellationToken, "-4", "rule", "show")).Contains(Line(table), StringComparison.Ordinal);
        await IpAsync(cancellationToken, "-4", "route", "replace", "local", "default", "dev", "lo", "table", $"{table}");
        if (!isThere)
            await IpAsync(cancellationToken, ["-4", "rule", "add", .. Rule(table)]);
    }

    public static async Task RemoveAsync(string clusterCidr, CancellationToken cancellationToken)
    {
        var table = Table(clusterCidr);
        while ((await IpAsync(cancellationToken, "-4", "rule", "show")).Contains(Line(table), StringComparison.Ordinal))
            await IpAsync(cancellationToken, ["-4", "rule", "del", .. Rule(table)]);
        if ((await IpAsync(cancellationToken, "-4", "route", "show", "table", "all")).Contains($"table {table} ", StringComparison.Ordinal))
            await IpAsync(cancellationToken, "-4", "route", "flush", "table", $"{table}");
    }

    /// <summary>Of `ip rule add` and `del`.</summary>
    internal static string[] Rule(uint table)
    {
        var mark = NetworkMarks.Hex(NetworkMarks.Captured);
        return ["pref", $"{NetworkMarks.RulePreference}", "fwmark", $"{mark}/{mark}", "lookup", $"{table}"];
    }

    // Of `ip rule show`: "733:	from all fwmark 0x80/0x80 lookup 77332804".
    private static string Line(uint table) => $"fwmark {NetworkMarks.Hex(NetworkMarks.Captured)}/{NetworkMarks.Hex(NetworkMarks.Captured)} lookup {table}";

    private static async Task<string> IpAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        var program = new[] { "/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip" }.FirstOrDefault(File.Exists)
            ?? throw new IOException("ip is missing: install the package iproute2 (apt-get install iproute2)");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start) ?? throw new IOException("ip did not start");
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? await output : throw new IOException($"ip {string.Join(' ', arguments)}: {(await errors).Trim()}");
    }
}
