using System.Diagnostics;

namespace Weft.Node.Network;

/// <summary>The `nft` program: each script is one transaction of the kernel.</summary>
internal static class Nft
{
    /// <exception cref="IOException">nft is missing or refused the script; nothing of it is in force then.</exception>
    public static async Task RunAsync(string script, CancellationToken cancellationToken = default) => await ReadAsync(["-f", "-"], script, cancellationToken);

    /// <summary>What nft prints.</summary>
    /// <exception cref="IOException">nft is missing or failed.</exception>
    public static async Task<string> ReadAsync(IEnumerable<string> arguments, string input = "", CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo(Program(), arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        using var process = Process.Start(start) ?? throw new IOException("nft did not start");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all: its own words, below, say why.
        }
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new IOException($"nft refused the node's rules: {Short(await errors)}");
        return await output;
    }

    private static string Program() =>
        new[] { "/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft" }.FirstOrDefault(File.Exists)
        ?? throw new IOException("nft is missing: install the package nftables (apt-get install nftables)");

    private static string Short(string text) => text.Trim() is { Length: > 2000 } all ? all[..2000] + " ..." : text.Trim();
}
