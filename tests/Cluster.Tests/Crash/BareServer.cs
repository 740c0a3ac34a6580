using System.Diagnostics;
using Weft.Cli.Clusters;
using Weft.Cli.Supervision;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Crash;

/// <summary>The server of a cluster, run by the test in place of the supervisor: it starts again at once, however young it dies.</summary>
internal sealed class BareServer : IAsyncDisposable
{
    private readonly WeftCluster _cluster;
    private readonly ClusterPaths _paths;
    private Process? _process;

    private BareServer(WeftCluster cluster)
    {
        _cluster = cluster;
        _paths = ClusterPaths.For(cluster.Name, cluster.DataDir);
    }

    internal static async Task<BareServer> TakeOverAsync(WeftCluster cluster)
    {
        (await cluster.WeftAsync("down")).Succeeded();
        var server = new BareServer(cluster);
        await server.StartAsync();
        return server;
    }

    private async Task StartAsync()
    {
        Directory.CreateDirectory(_paths.RunDir);
        File.Delete(_paths.ServerFile);
        string[] arguments = ["-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", _paths.Log, WeftCluster.Program, .. ClusterChildren.Server(_paths, WeftCluster.Program).Arguments];
        _process = Process.Start(new ProcessStartInfo("/bin/sh", arguments)
        {
            Environment = { ["DOTNET_EnableDiagnostics"] = "0" }, // a killed process leaves its diagnostic pipes in /tmp
        })!;
        await Eventually.TrueAsync(() => ServerState.Load(_paths.ServerFile) is { Phase: ServerPhase.Ready } || _process.HasExited,
            "the server is Ready", () => ServerState.Load(_paths.ServerFile)?.ToString() ?? "no state file");
        Assert.False(_process.HasExited, $"the server ended: {ServerState.Load(_paths.ServerFile)}");
    }

    internal async Task KillAndStartAsync()
    {
        // Waited for as a parent does: a zombie may have threads that still hold the port and the store.
        _process!.Kill();
        await Eventually.EndsAsync(_process.WaitForExitAsync());
        _process.Dispose();
        await StartAsync();
    }

    /// <summary>Gives the cluster back to a supervisor, which ends this server first.</summary>
    public async ValueTask DisposeAsync()
    {
        (await _cluster.WeftAsync("up")).Succeeded();
        _process?.Dispose();
    }
}
