using System.Diagnostics;
using System.Net;

namespace Weft.Cli.Supervision;

/// <summary>
/// The DNS address as /32 on the node's loopback interface: containers, process pods and the machine itself reach it without any rule. What was added is
/// written down, so that `down` takes away its own and never another cluster's.
/// </summary>
public static class NodeAddress
{
    private const string FileName = "dns-address";

    /// <exception cref="IOException">The address cannot be added.</exception>
    internal static void Add(IPAddress address)
    {
        using var process = Start("replace", address.ToString());
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new IOException($"cannot add {address} to lo: {errors.Trim()}");
    }

    internal static void Remember(IPAddress address, string runDir)
    {
        Directory.CreateDirectory(runDir);
        File.WriteAllText(Path.Combine(runDir, FileName), address.ToString());
    }

    /// <summary>Takes the address away, if it was this cluster's.</summary>
    public static async Task ReleaseAsync(string runDir, CancellationToken cancellationToken)
    {
        var file = Path.Combine(runDir, FileName);
        if (!File.Exists(file) || !IPAddress.TryParse((await File.ReadAllTextAsync(file, cancellationToken)).Trim(), out var address))
            return;
        using var process = Start("del", address.ToString());
        await process.WaitForExitAsync(cancellationToken); // fails when the address is gone already: as wanted
        File.Delete(file);
    }

    private static Process Start(string verb, string address)
    {
        var program = new[] { "/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip" }.FirstOrDefault(File.Exists)
            ?? throw new IOException("ip is missing: install the package iproute2 (apt-get install iproute2)");
        var start = new ProcessStartInfo(program, ["address", verb, address + "/32", "dev", "lo"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        return Process.Start(start) ?? throw new IOException("ip did not start");
    }
}
