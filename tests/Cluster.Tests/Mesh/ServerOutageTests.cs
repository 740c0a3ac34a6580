using System.Globalization;
using Weft.Cli.Processes;
using Weft.Cluster.Tests.Crash;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>
/// The server does nothing for a minute (SIGSTOP: it does not even refuse): what it had said goes on to hold. Requests between nodes and through the front door are answered, names too, policies refuse what
/// they refused, and proxies that are killed meanwhile serve by what they have on disk. WEFT_LONG=1 makes it ten minutes.
/// </summary>
[Collection(MeshClusterCollection.Name)]
public sealed class ServerOutageTests(MeshCluster cluster, ITestOutputHelper output)
{
    private const int Stop = 19, Continue = 18;

    // Longer than a connection that is silent is kept (45 s) and the next one waited for (15 s): what comes after both must come back, too.
    private static TimeSpan Outage => Environment.GetEnvironmentVariable("WEFT_LONG") == "1" ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(75);

    private readonly TimeProvider _time = TimeProvider.System;

    [Fact]
    public async Task Traffic_names_identities_and_policies_go_on_without_the_server_and_through_a_kill_of_the_proxies()
    {
        await using var web = await LoadedService.CreateAsync(cluster, replicas: 4);
        await web.UnharmedAsync("before", output);
        var pods = await PodsAsync(web);
        var pod = (await web.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=web")).Trim();
        var server = new ClusterProcesses(cluster).Server;
        var from = _time.GetTimestamp();
        ProxyKill kill;
        Assert.True(Signals.Send(server.Pid, Stop));
        try
        {
            await HoldsUntilAsync(from, Outage / 2, web, pod);
            kill = await MeshProxies.KillAsync(cluster, _time);
            // Nobody is there, and a connection to the front door is not refused: it waits.
            Assert.True(await AnswersAsync(web), "the front door answers who comes while no proxy runs");
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"first answer {(_time.GetUtcNow() - kill.From).TotalMilliseconds:0} ms after the kill of both proxies"));
            await HoldsUntilAsync(from, Outage, web, pod);
        }
        finally
        {
            Signals.Send(server.Pid, Continue);
        }

        await Eventually.TrueAsync(async () => (await cluster.KubectlAsync("get", "--raw", "/readyz")).Output == "ok", "the server is back");
        await web.UnharmedAsync("server stopped", output, kill);
        // Nobody took the silence for the nodes' end.
        Assert.Equal(pods, await PodsAsync(web));
    }

    // The clients in the pods count for themselves; here the machine asks, which has no identity.
    private async Task HoldsUntilAsync(long from, TimeSpan end, LoadedService web, string pod)
    {
        do
        {
            Assert.True(await AnswersAsync(web), "the front door answers");
            var direct = await CurlAsync($"http://{pod}:8080/");
            Assert.True(direct.ExitCode != 0, $"a process of the machine has no identity, and was answered: {direct.Output}");
            await Task.Delay(TimeSpan.FromSeconds(1), _time);
        }
        while (_time.GetElapsedTime(from) < end);
    }

    private async Task<bool> AnswersAsync(LoadedService web) => await CurlAsync("-H", "Host: " + web.Host, $"http://{web.Door}/") is { ExitCode: 0, Output: "200" };

    private Task<CommandResult> CurlAsync(params string[] arguments) => cluster.RunAsync("/usr/bin/curl", ["-s", "-m", "20", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", .. arguments]);

    private static Task<string> PodsAsync(LoadedService web) =>
        web.Namespace.GetAsync("{range .items[*]}{.metadata.uid} {.status.containerStatuses[*].restartCount} {.status.phase}{\"\\n\"}{end}", "pods", "-l", "app in (web, load)");
}
