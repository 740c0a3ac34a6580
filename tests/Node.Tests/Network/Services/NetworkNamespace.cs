using System.Diagnostics;
using Weft.Node.Interop;
using Weft.Node.Network.Nftables;

namespace Weft.Node.Tests.Network.Services;

/// <summary>A network namespace of one test, and programs that run in it.</summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    private readonly string _directory = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "weft-ns" + Chance.Next());

    /// <summary>The namespace as a file.</summary>
    public string Path => System.IO.Path.Combine(_directory, "net");

    public static async Task<NetworkNamespace> CreateAsync()
    {
        var made = new NetworkNamespace();
        Directory.CreateDirectory(made._directory);
        await NamespaceThread.CreateAsync(made._directory, "test", network: true, ipc: false);
        return made;
    }

    public Task NftAsync(string script) => RunAsync("nft", ["-f", "-"], script);

    /// <summary>A change by way of the agent's own messages, whose socket is this namespace's from the first one on.</summary>
    public Task<string?> ApplyAsync(NftTransactions transactions, string script) =>
        NamespaceThread.InNetworkAsync(Path, () => transactions.ApplyAsync(script).GetAwaiter().GetResult());

    public async Task<string> RunAsync(string program, IEnumerable<string> arguments, string input = "")
    {
        var start = new ProcessStartInfo("nsenter", ["--net=" + Path, program, .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program}: {await error}\n{(input.Length > 3000 ? input[..3000] : input)}");
        return await output;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var name in new[] { "net", "uts" })
            Mounts.Unmount(System.IO.Path.Combine(_directory, name));
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
