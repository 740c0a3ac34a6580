using System.Net;
using System.Text.RegularExpressions;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;
using Weft.Client;
using Weft.Cluster.Tests.Crash;
using Weft.Cluster.Tests.Kit;
using Weft.Node.Network;
using Weft.Testing;

namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>
/// 10,000 endpoints of which 100 services a second change, and kill -9 of server and proxy at once, every ten seconds: no name is lost, no answer is older
/// than the bound, nothing stale stays, and the pods are the same afterwards. Three kills; WEFT_LONG=1 makes it five minutes.
/// </summary>
[Collection(MeasuredCollection.Name)]
public sealed partial class KillsUnderChangesTests(ITestOutputHelper output)
{
    /// <summary>
    /// For how long after its acknowledgement a change may be missing from an answer (docs/guide/services.md), not counting the time from a kill until the next
    /// server is Ready, which is the machine's: the rules wait for one transaction of 10,000 endpoints and more, the proxy for its next try to connect.
    /// </summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan KillEvery = TimeSpan.FromSeconds(10);
    private const int ChangesPerSecond = 100;

    private static readonly Population All = new(Headless: 450, Addressed: 100);

    private const string Pods = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: steady}
        spec:
          replicas: 5
          selector: {matchLabels: {app: steady}}
          template:
            metadata: {labels: {app: steady}}
            spec:
              terminationGracePeriodSeconds: 1
              containers: [{name: main, image: busybox, command: [sleep, "100000"]}]
        """;

    private readonly Figures _figures = new();
    private readonly Absences _absences = new(TimeProvider.System);

    [Fact]
    public async Task No_name_is_lost_and_no_answer_is_older_than_the_bound()
    {
        var kills = Environment.GetEnvironmentVariable("WEFT_LONG") == "1" ? 30 : 3;
        (await Shell.RunAsync(Path.Combine(WeftCluster.Checkout, "images", "build"), ["busybox"])).Succeeded();
        await using var cluster = new NetworkCluster();
        await cluster.InitializeAsync();
        (await cluster.WeftAsync("image", "load", Path.Combine(WeftCluster.Checkout, "images", "out", "busybox.tar"))).Succeeded();
        (await cluster.RunKubectlAsync(WeftCluster.Kubectls[0], Pods, "apply", "-f", "-")).Succeeded();
        (await cluster.KubectlAsync("rollout", "status", "deployment/steady", "--timeout=120s")).Succeeded();
        var pods = await PodsAsync(cluster);

        var paths = ClusterPaths.For(cluster.Name, cluster.DataDir);
        (await cluster.RunAsync("ip", ["route", "add", "local", Population.Range, "dev", "lo"])).Succeeded();
        var sockets = new NamespaceSockets(cluster.NetworkPath);
        using var client = Connect(paths, sockets);
        var services = new ChangingServices(client, "default", All, _absences, _figures);
        await services.CreateAsync(TestContext.Current.CancellationToken);
        var readers = new Readers(sockets, new IPEndPoint(ClusterSettings.Load(paths.Settings)!.DnsAddress, 53), "default", All, services, _figures);

        using var end = new CancellationTokenSource();
        using var stopWriting = new CancellationTokenSource();
        using var stopReading = new CancellationTokenSource();
        var answering = readers.AnswerAsync(end.Token);
        await AllAreCurrentAsync(services, readers);
        var writing = services.ChangeAsync(ChangesPerSecond, stopWriting.Token);
        var reading = readers.ReadAsync(stopReading.Token);
        await IsSavedAsync(paths);
        for (var i = 0; i < kills; i++)
            await KillAsync(paths);
        await stopWriting.CancelAsync();
        await writing;
        await AllAreCurrentAsync(services, readers);
        await stopReading.CancelAsync();
        await reading;
        await end.CancelAsync();
        await answering;

        output.WriteLine(_figures.ToString());
        Assert.Empty(_figures.Wrong);
        Assert.InRange(_figures.LongestStale, TimeSpan.Zero, Bound);
        // Of what was due a server that is away half of the time, and slow for the rest of it, takes this much: less would be no test.
        Assert.True(_figures.Writes >= ChangesPerSecond * kills * KillEvery.TotalSeconds / 4, $"only {_figures.Writes} changes");
        Assert.True(_figures is { Names: > 1000, Connections: > 100 }, _figures.ToString());
        await NothingStaleIsLeftAsync(cluster, services);
        Assert.Equal(pods, await PodsAsync(cluster));
    }

    // A proxy writes what it knows to its disk once a second: what came in the last one is not known to a new one while the server is away, too. The second of two writes began after the first had ended.
    private static async Task IsSavedAsync(ClusterPaths paths)
    {
        var file = Path.Combine(paths.DataDir, "proxy", "state", "configuration");
        for (var written = 0; written < 2; written++)
        {
            var before = File.GetLastWriteTimeUtc(file);
            await Eventually.TrueAsync(() => File.GetLastWriteTimeUtc(file) > before, "the proxy has written its configuration");
        }
    }

    private static KubeClient Connect(ClusterPaths paths, NamespaceSockets sockets)
    {
        var access = Kubeconfig.Load(paths.Kubeconfig, null, "").Access();
        var handler = access.CreateHandler();
        handler.ConnectCallback = sockets.ConnectAsync;
        return new KubeClient(handler, TimeProvider.System, "chaos-test", access.Server);
    }

    /// <summary>Both at once: the proxy comes back without its server, with what it has on disk.</summary>
    private async Task KillAsync(ClusterPaths paths)
    {
        var time = TimeProvider.System;
        var server = ServerState.Load(paths.ServerFile)!.Process;
        var proxy = ChildState.Load(paths).First(child => child.Name == "proxy").Process!;
        _absences.Begin();
        Assert.True(Signals.Send(server.Pid, Signals.Kill) && Signals.Send(proxy.Pid, Signals.Kill));
        await Eventually.TrueAsync(() => ServerState.Load(paths.ServerFile) is { Phase: ServerPhase.Ready, Process.IsAlive: true } state && state.Process != server, "another server is Ready");
        var away = _absences.End();
        _figures.ServerBack(away);
        // A machine that needs longer than that for a start has a while with a server all the same: long enough to break the bound in.
        await Task.Delay(KillEvery - away > Bound ? KillEvery - away : Bound, time);
    }

    /// <summary>Every service tells its last version, by its name or by its address, within the bound of its change.</summary>
    private static async Task AllAreCurrentAsync(ChangingServices services, Readers readers)
    {
        for (var service = 0; service < All.Services; service++)
        {
            var (number, last) = (service, services.Histories[service].Last);
            await Eventually.TrueAsync(async () => await (All.IsHeadless(number) ? readers.NameAsync(number) : readers.ConnectionAsync(number)) == last, $"{All.Name(number)} tells version {last}");
        }
    }

    /// <summary>Not by one connection, which reaches one endpoint, but by all that the rules name.</summary>
    private static async Task NothingStaleIsLeftAsync(WeftCluster cluster, ChangingServices services)
    {
        var rules = (await cluster.RunAsync("nft", ["list", "table", "ip", NodeFirewall.TableName(cluster.Name)])).Succeeded();
        var there = Endpoints().Matches(rules).Select(match => match.Value).Distinct().Order(StringComparer.Ordinal);
        var wanted = Enumerable.Range(All.Headless, All.Addressed).SelectMany(service => All.Changing(service, services.Histories[service].Last)).Order(StringComparer.Ordinal);
        Assert.Equal(wanted, there);
    }

    private static async Task<string> PodsAsync(WeftCluster cluster) => (await cluster.KubectlAsync("get", "pods", "-l", "app=steady", "-o",
        "jsonpath={range .items[*]}{.metadata.uid} {.status.podIP} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{\"\\n\"}{end}")).Succeeded();

    [GeneratedRegex(@"\b100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Endpoints();
}
