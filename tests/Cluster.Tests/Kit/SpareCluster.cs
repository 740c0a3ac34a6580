using System.Net;
using System.Net.Sockets;
using Weft.Cli.Clusters;
using Weft.Client;

namespace Weft.Cluster.Tests.Kit;

/// <summary>A second cluster beside the shared one, for a test that ruins it. Purged at the end, with a look for what stayed.</summary>
internal sealed class SpareCluster : IAsyncDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"weft-spare-{Environment.ProcessId}-{Path.GetRandomFileName()[..6]}");
    private readonly MachineState _before;

    /// <param name="place">Where its data is; its own directory without one.</param>
    /// <param name="suffix">Tells it from another one beside the same cluster.</param>
    internal SpareCluster(WeftCluster beside, string? place = null, string suffix = "s")
    {
        Directory.CreateDirectory(_directory);
        Paths = ClusterPaths.For($"{beside.Name}-{suffix}", Path.Combine(place ?? _directory, "data"));
        _before = MachineState.Take(Marks);
    }

    internal ClusterPaths Paths { get; }

    /// <summary>A command that ends in running its arguments: for a namespace or a limit that all of the cluster's processes inherit.</summary>
    internal IReadOnlyList<string> Before { get; init; } = [];

    private string Kubeconfig => Path.Combine(_directory, "kubeconfig");
    private string[] Marks => [Paths.Name, _directory, Paths.DataDir];

    internal async Task UpAsync() => (await WeftAsync("up", "--api-port", $"{FreePort()}")).Succeeded();

    internal KubeClient Connect() => Client.Kubeconfig.Load(Kubeconfig, null, "").Access().Connect(TimeProvider.System, "spare-test");

    private Task<CommandResult> WeftAsync(params string[] arguments)
    {
        string[] all = [.. Before, WeftCluster.Program, .. arguments, "--name", Paths.Name, "--data-dir", Paths.DataDir];
        return Shell.RunAsync(all[0], all[1..], new Dictionary<string, string> { ["KUBECONFIG"] = Kubeconfig });
    }

    public async ValueTask DisposeAsync()
    {
        var podCidr = MachineState.PodCidrOf(Paths);
        (await WeftAsync("down", "--purge")).Succeeded();
        Directory.Delete(_directory, recursive: true);
        // Without links and routes: this cluster never has a pod, and those of other clusters on the machine come and go meanwhile.
        Assert.DoesNotContain(MachineState.Take(Marks).LeftSince(_before, podCidr), fact => fact.Split(' ')[0] is not ("link" or "route" or "netns"));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
