using System.Globalization;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Crash;

/// <summary>kill -9 of Weft's own processes while pods run: the pods do not notice.</summary>
[Collection(MeasuredClusterCollection.Name)]
public sealed class KillTests(WeftCluster cluster, ITestOutputHelper output)
{
    // The issue says "within a second"; a machine that builds at the same time is slower, one that waits for a timeout much slower.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private static readonly string Counting = TestNamespace.Deployment("counter", 2, "i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done");

    private readonly ClusterProcesses _processes = new(cluster);

    [Fact]
    public async Task A_killed_server_comes_back_and_the_pods_did_not_notice()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(Counting);
        await ns.RolledOutAsync("counter");
        var before = await PodsAsync(ns);
        var supervisor = _processes.Supervisor;
        var killed = _processes.Server;

        await ClusterProcesses.KillAsync(killed);
        var started = TimeProvider.System.GetTimestamp();
        await _processes.WholeAgainAsync(killed);
        var took = TimeProvider.System.GetElapsedTime(started);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"back after {took.TotalSeconds:0.00} s"));
        Assert.True(took < Soon, $"the server was away for {took.TotalSeconds:0.0} s");
        Assert.Equal(supervisor, _processes.Supervisor);
        await TheSamePodsWorkAsync(ns, before);
    }

    [Fact]
    public async Task Up_makes_a_cluster_whole_whose_supervisor_and_server_were_killed()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(Counting);
        await ns.RolledOutAsync("counter");
        var before = await PodsAsync(ns);
        var server = _processes.Server;

        await ClusterProcesses.KillAsync(_processes.Supervisor);
        await ClusterProcesses.KillAsync(server);
        (await cluster.WeftAsync("up")).Succeeded();

        await _processes.WholeAgainAsync(server);
        await TheSamePodsWorkAsync(ns, before);
    }

    [Fact]
    public async Task Up_takes_over_from_a_server_whose_supervisor_was_killed()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(Counting);
        await ns.RolledOutAsync("counter");
        var before = await PodsAsync(ns);
        var (supervisor, orphan) = (_processes.Supervisor, _processes.Server);

        await ClusterProcesses.KillAsync(supervisor);
        (await cluster.WeftAsync("up")).Succeeded();

        await _processes.WholeAgainAsync(orphan);
        Assert.NotEqual(supervisor, _processes.Supervisor);
        Assert.False(orphan.IsAlive);
        await TheSamePodsWorkAsync(ns, before);
    }

    /// <summary>Exec works, the logs have no gap and go on, and nothing was made or started anew.</summary>
    private static async Task TheSamePodsWorkAsync(TestNamespace ns, string before)
    {
        var pod = await ns.FirstPodAsync("counter");
        Assert.Equal("here\n", (await ns.KubectlAsync("exec", pod, "--", "/bin/sh", "-c", "echo here")).Succeeded());

        var seen = (await LogAsync(ns, pod)).Length;
        await ns.EventuallyAsync("the log goes on", async () => (await LogAsync(ns, pod)).Length > seen);
        var lines = await LogAsync(ns, pod);
        Assert.Equal(Enumerable.Range(1, lines.Length).Select(number => number.ToString(CultureInfo.InvariantCulture)), lines);
        Assert.Equal(before, await PodsAsync(ns));
    }

    private static async Task<string[]> LogAsync(TestNamespace ns, string pod) =>
        (await ns.KubectlAsync("logs", pod)).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static Task<string> PodsAsync(TestNamespace ns) => ns.GetAsync(
        "{range .items[*]}{.metadata.name} {.metadata.uid} {.status.podIP} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{\"\\n\"}{end}", "pods");
}
