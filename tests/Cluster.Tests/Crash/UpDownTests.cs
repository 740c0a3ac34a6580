using System.Net;
using System.Net.Sockets;
using Weft.Cli.Clusters;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Crash;

/// <summary>`up` and `down` where there is nothing to do, or nothing can be done.</summary>
[Collection(ClusterCollection.Name)]
public sealed class UpDownTests(WeftCluster cluster)
{
    [Fact]
    public async Task Up_of_a_cluster_that_is_up_does_nothing()
    {
        var processes = new ClusterProcesses(cluster);
        var (supervisor, server) = (processes.Supervisor, processes.Server);
        var kubeconfig = await File.ReadAllTextAsync(cluster.Kubeconfig, TestContext.Current.CancellationToken);

        (await cluster.WeftAsync("up")).Succeeded();

        Assert.Equal(supervisor, processes.Supervisor);
        Assert.Equal(server, processes.Server);
        Assert.Equal(kubeconfig, await File.ReadAllTextAsync(cluster.Kubeconfig, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_taken_port_is_named_with_its_holder_and_nothing_is_left()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        using var other = new OtherCluster(cluster);

        var refused = await other.WeftAsync("up", "--api-port", $"{port}");

        Assert.Equal(1, refused.ExitCode);
        var sentence = Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"weft up: port {port} is taken by ", sentence, StringComparison.Ordinal);
        Assert.Contains($"(pid {Environment.ProcessId})", sentence, StringComparison.Ordinal);
        Assert.Contains("--api-port", sentence, StringComparison.Ordinal);
        Assert.Empty(other.Left());
    }

    [Fact]
    public async Task The_port_of_another_cluster_is_named_with_its_server()
    {
        using var other = new OtherCluster(cluster);

        var refused = await other.WeftAsync("up", "--api-port", $"{cluster.ApiPort}");

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"(pid {new ClusterProcesses(cluster).Server.Pid})", refused.Error, StringComparison.Ordinal);
        Assert.Empty(other.Left());
    }

    [Fact]
    public async Task Two_clusters_that_are_made_at_once_take_different_networks()
    {
        await using var first = new SpareCluster(cluster, suffix: "a");
        await using var second = new SpareCluster(cluster, suffix: "b");
        await Task.WhenAll(first.UpAsync(), second.UpAsync());

        var (one, other) = (ClusterSettings.Load(first.Paths.Settings)!, ClusterSettings.Load(second.Paths.Settings)!);
        Assert.NotEqual(one.PodCidr, other.PodCidr);
        Assert.NotEqual(one.ServiceCidr, other.ServiceCidr);
    }

    [Fact]
    public async Task A_cluster_whose_networks_another_one_has_that_is_up_is_told_which()
    {
        using var other = new OtherCluster(cluster);
        var running = ClusterSettings.Load(ClusterPaths.For(cluster.Name, cluster.DataDir).Settings)!;
        Directory.CreateDirectory(other.Paths.DataDir);
        new ClusterSettings(FreePort(), running.PodCidr, running.ServiceCidr).Save(other.Paths.Settings);

        var refused = await other.WeftAsync("up");

        Assert.Equal(1, refused.ExitCode);
        var sentence = Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($"'weft down --name {cluster.Name}'", sentence, StringComparison.Ordinal);
        (await other.WeftAsync("down", "--purge")).Succeeded();
        Assert.Empty(other.Left());
    }

    [Fact]
    public async Task Down_of_a_cluster_that_never_came_up_succeeds_and_again()
    {
        using var other = new OtherCluster(cluster);
        (await other.WeftAsync("down", "--purge")).Succeeded();
        (await other.WeftAsync("down", "--purge")).Succeeded();
        (await other.WeftAsync("down")).Succeeded();
        Assert.Empty(other.Left());
    }

    [Fact]
    public async Task Up_says_why_a_server_cannot_start_and_down_purge_takes_the_rest_away()
    {
        using var other = new OtherCluster(cluster);
        new ClusterSettings(FreePort(), "10.130.0.0/16", "10.126.0.0/16").Save(other.Paths.Settings);
        // The store's directory cannot be made: the cluster fails after its processes have started.
        await File.WriteAllTextAsync(Path.GetDirectoryName(other.Paths.Database)!, "in the way", TestContext.Current.CancellationToken);

        var failed = await other.WeftAsync("up", "--api-port", $"{FreePort()}");

        Assert.Equal(1, failed.ExitCode);
        Assert.StartsWith("weft up: ", failed.Error, StringComparison.Ordinal);
        Assert.Contains(Path.GetDirectoryName(other.Paths.Database)!, failed.Error, StringComparison.Ordinal);
        (await other.WeftAsync("down", "--purge")).Succeeded();
        Assert.Empty(other.Left());
    }

    [Fact]
    public async Task Down_purge_removes_a_cluster_whose_start_was_killed_half_way()
    {
        using var other = new OtherCluster(cluster);
        var up = other.WeftAsync("up", "--api-port", $"{FreePort()}");
        await Eventually.TrueAsync(() => ServerState.Load(other.Paths.ServerFile) is not null);
        await ClusterProcesses.KillAsync(Cli.Supervision.Supervisor.Find(other.Paths)!);
        await ClusterProcesses.KillAsync(ServerState.Load(other.Paths.ServerFile)!.Process);
        await up; // it may have been faster than the kill: its exit code says nothing

        (await other.WeftAsync("down", "--purge")).Succeeded();
        Assert.DoesNotContain(other.Left(), left => !left.EndsWith("/kubeconfig", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("up")]
    [InlineData("down")]
    public async Task A_bad_name_is_refused_with_a_sentence(string verb)
    {
        foreach (var name in (string[])["Bad_Name", "../up", "-", "a-", "a.b", "twenty-one-characters"])
        {
            var refused = await Shell.RunAsync(WeftCluster.Program, [verb, $"--name={name}"], new Dictionary<string, string> { ["KUBECONFIG"] = cluster.Kubeconfig });
            Assert.True(refused.ExitCode == 1, $"{name}: exit code {refused.ExitCode}\n{refused.Output}\n{refused.Error}");
            var sentence = Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.StartsWith($"weft {verb}: '{name}' is no cluster name: use ", sentence, StringComparison.Ordinal);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A second cluster beside the shared one, which is not to stay.</summary>
    private sealed class OtherCluster : IDisposable
    {
        private readonly string _directory = Path.Combine(Path.GetTempPath(), $"weft-other-{Environment.ProcessId}-{Path.GetRandomFileName()[..6]}");
        private readonly MachineState _before;
        private string? _podCidr;

        internal OtherCluster(WeftCluster beside)
        {
            Paths = ClusterPaths.For(beside.Name + "-other", Path.Combine(_directory, "data"));
            Directory.CreateDirectory(_directory);
            _before = MachineState.Take(Marks);
        }

        internal ClusterPaths Paths { get; }

        private string[] Marks => [Paths.Name, Paths.DataDir, Paths.RunDir, Path.Combine(_directory, "kubeconfig")];

        internal Task<CommandResult> WeftAsync(params string[] arguments)
        {
            _podCidr = MachineState.PodCidrOf(Paths) ?? _podCidr;
            return Shell.RunAsync(
                WeftCluster.Program, [.. arguments, "--name", Paths.Name, "--data-dir", Paths.DataDir],
                new Dictionary<string, string> { ["KUBECONFIG"] = Path.Combine(_directory, "kubeconfig") });
        }

        /// <summary>Without links and routes: this cluster never has a pod, and those of other clusters on the machine come and go meanwhile.</summary>
        internal IReadOnlyList<string> Left() =>
        [
            .. MachineState.Take(Marks).LeftSince(_before, _podCidr).Where(fact => !fact.StartsWith("link ", StringComparison.Ordinal) && !fact.StartsWith("route ", StringComparison.Ordinal)),
            .. Directory.EnumerateFileSystemEntries(_directory),
        ];

        public void Dispose() => Directory.Delete(_directory, recursive: true);
    }
}
