using System.Diagnostics;
using System.Net;
using System.Text;

namespace Weft.Node.Network.Services;

/// <summary>
/// Addresses and the route by which the machine itself reaches services: load balancer addresses and the pods' gateway on `lo`, and a route of the
/// service range. Without a route to it a connection to a service address ends before nft sees it.
/// </summary>
internal static class NodeAddresses
{
    /// <summary>Makes the gateway address and the route; needs to be done again when somebody took them away.</summary>
    public static Task PrepareAsync(ServiceNetwork network, CancellationToken cancellationToken) => RunAsync(
        $"addr replace {network.Gateway}/32 dev lo\nroute replace {network.ServiceCidr} dev lo src {network.Gateway}\n", force: false, cancellationToken);

    /// <summary>Load balancer addresses on `lo` become exactly these.</summary>
    public static async Task SetAsync(ServiceNetwork network, IReadOnlySet<string> wanted, CancellationToken cancellationToken)
    {
        var present = await PresentAsync(network, cancellationToken);
        var script = new StringBuilder();
        foreach (var address in present.Where(address => !wanted.Contains(address)))
            script.Append($"addr del {address}/32 dev lo\n");
        foreach (var address in wanted.Where(address => !present.Contains(address)))
            script.Append($"addr replace {address}/32 dev lo\n");
        if (script.Length > 0)
            await RunAsync(script.ToString(), force: true, cancellationToken);
    }

    public static async Task RemoveAsync(ServiceNetwork network, CancellationToken cancellationToken)
    {
        await SetAsync(network, new HashSet<string>(), cancellationToken);
        var links = await OutputAsync(["-o", "-4", "addr", "show", "dev", "lo"], cancellationToken);
        var routes = await OutputAsync(["-4", "route", "show", network.ServiceCidr], cancellationToken);
        if (routes.Contains("dev lo", StringComparison.Ordinal))
            await RunAsync($"route del {network.ServiceCidr} dev lo\n", force: true, cancellationToken);
        if (links.Contains($" {network.Gateway}/32 ", StringComparison.Ordinal))
            await RunAsync($"addr del {network.Gateway}/32 dev lo\n", force: true, cancellationToken);
    }

    private static async Task<HashSet<string>> PresentAsync(ServiceNetwork network, CancellationToken cancellationToken)
    {
        var pool = IPNetwork.Parse(network.LoadBalancerPool);
        return Addresses(await OutputAsync(["-o", "-4", "addr", "show", "dev", "lo"], cancellationToken)).Where(address => pool.Contains(IPAddress.Parse(address))).ToHashSet();
    }

    /// <summary>Of `ip -o -4 addr show`: number, link, `inet`, address/bits, ...</summary>
    internal static IEnumerable<string> Addresses(string listing) =>
        listing.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length > 3 && words[2] == "inet").Select(words => words[3].Split('/')[0]);

    private static Task RunAsync(string batch, bool force, CancellationToken cancellationToken) =>
        StartAsync(force ? ["-4", "-force", "-batch", "-"] : ["-4", "-batch", "-"], batch, cancellationToken);

    private static Task<string> OutputAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => StartAsync(arguments, "", cancellationToken);

    private static async Task<string> StartAsync(IReadOnlyList<string> arguments, string input, CancellationToken cancellationToken)
    {
        var program = new[] { "/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip" }.FirstOrDefault(File.Exists)
            ?? throw new IOException("ip is missing: install the package iproute2 (apt-get install iproute2)");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start) ?? throw new IOException("ip did not start");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new IOException($"ip {string.Join(' ', arguments)} failed: {(await error).Trim()}");
        return await output;
    }
}
