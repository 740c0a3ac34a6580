using System.Diagnostics;

namespace Weft.Node.Network.Services;

/// <summary>Flows to forget: UDP has no end that the kernel could see, so a client that goes on sending would reach an endpoint that is gone for ever.</summary>
/// <param name="Address">Translated to this address and port; or, with <paramref name="IsService"/>, sent to it.</param>
internal readonly record struct StaleFlow(string Address, int Port, bool IsService);

/// <summary>By the `conntrack` program.</summary>
internal static class ConnectionTracking
{
    private static readonly string[] Places = ["/usr/sbin/conntrack", "/sbin/conntrack", "/usr/bin/conntrack"];

    public static bool IsInstalled => Places.Any(File.Exists);

    /// <summary>Flows that must be forgotten when a port's plan changes. Pure.</summary>
    public static IEnumerable<StaleFlow> Stale(ServicePlan? old, ServicePlan? @new)
    {
        var now = Udp(@new).ToDictionary(port => (port.Port, port.Protocol));
        var before = Udp(old).ToDictionary(port => (port.Port, port.Protocol));
        foreach (var (key, was) in before)
        {
            var left = now.GetValueOrDefault(key)?.Everywhere.ToHashSet() ?? [];
            foreach (var backend in was.Everywhere.Where(backend => !left.Contains(backend)))
                yield return new StaleFlow(backend.Address, backend.Port, IsService: false);
        }
        foreach (var (key, port) in now)
        {
            // What was sent while nothing was there may have gone elsewhere, and would go on so.
            if (port.Everywhere.IsEmpty || before.GetValueOrDefault(key) is { Everywhere.IsEmpty: false })
                continue;
            foreach (var address in port.LoadBalancerIps.Concat(port.ExternalIps).Append(port.ClusterIp ?? "").Where(address => address.Length > 0))
                yield return new StaleFlow(address, port.Port, IsService: true);
        }

        static IEnumerable<PortPlan> Udp(ServicePlan? plan) => plan?.Ports.Where(port => port.Protocol == "udp") ?? [];
    }

    /// <exception cref="IOException">The program failed.</exception>
    public static async Task ForgetAsync(StaleFlow flow, CancellationToken cancellationToken)
    {
        if (Places.FirstOrDefault(File.Exists) is not { } program)
            return;
        string[] which = flow.IsService
            ? ["--orig-dst", flow.Address, "--orig-port-dst", $"{flow.Port}"]
            : ["--dst-nat", flow.Address, "--reply-port-src", $"{flow.Port}"];
        var start = new ProcessStartInfo(program, ["-D", "-p", "udp", .. which]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start) ?? throw new IOException("conntrack did not start");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await process.StandardError.ReadToEndAsync(cancellationToken);
        await output;
        await process.WaitForExitAsync(cancellationToken);
        // It fails, too, when there was none.
        if (process.ExitCode != 0 && !error.Contains("0 flow entries", StringComparison.Ordinal))
            throw new IOException($"conntrack -D failed: {error.Trim()}");
    }
}
