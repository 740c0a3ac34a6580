using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;
using Weft.Cluster.Tests.Crash;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Names;

/// <summary>The cluster's names as pods and the machine see them, asked with dig.</summary>
[Collection(ClusterCollection.Name)]
public sealed class NamesTests(WeftCluster cluster)
{
    private const string Web = """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          selector: {app: web}
          ports: [{name: http, port: 80}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: db}
        spec:
          clusterIP: None
          selector: {app: web}
          ports: [{name: sql, port: 5432}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: alias}
        spec: {type: ExternalName, externalName: kubernetes.default.svc.cluster.local}
        """;

    private readonly ClusterPaths _paths = ClusterPaths.For(cluster.Name, cluster.DataDir);
    private readonly ClusterProcesses _processes = new(cluster);

    private string Server => ClusterSettings.Load(_paths.Settings)!.DnsAddress.ToString();

    [Fact]
    public async Task The_machine_and_a_pod_resolve_what_kubectl_creates()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(Web);
        await ns.ApplyAsync(TestNamespace.Deployment("web", 1,
            "until getent ahostsv4 web && getent ahostsv4 alias && getent ahostsv4 db && getent ahostsv4 kubernetes.default; do sleep 0.2; done; echo resolved; exec sleep 100000"));
        await ns.RolledOutAsync("web");
        var address = await ns.GetAsync("{.spec.clusterIP}", "service", "web");
        var pod = await ns.GetAsync("{.items[*].status.podIP}", "pods", "-l", "app=web");

        await AnswersAsync(address, $"web.{ns.Name}.svc.cluster.local");
        await AnswersAsync(address, $"web.{ns.Name}.svc.cluster.local", "+tcp");
        await AnswersAsync(pod, $"db.{ns.Name}.svc.cluster.local");
        await AnswersAsync(pod, $"{pod.Replace('.', '-')}.{ns.Name}.pod.cluster.local");
        await AnswersAsync($"0 100 80 web.{ns.Name}.svc.cluster.local.", $"_http._tcp.web.{ns.Name}.svc.cluster.local", "SRV");
        await AnswersAsync($"web.{ns.Name}.svc.cluster.local.", "-x", address);
        Assert.Contains("NXDOMAIN", await DigAsync($"nope.{ns.Name}.svc.cluster.local", "+comments"), StringComparison.Ordinal);
        await ns.EventuallyAsync("the pod resolves", async () => (await ns.KubectlAsync("logs", "deployment/web")).Output.Contains("resolved", StringComparison.Ordinal));

        (await ns.KubectlAsync("delete", "service", "web")).Succeeded();
        await Eventually.TrueAsync(async () => (await DigAsync($"web.{ns.Name}.svc.cluster.local", "+comments")).Contains("NXDOMAIN", StringComparison.Ordinal), "the deleted service's name is gone");
    }

    [Fact]
    public async Task Answers_go_on_while_the_server_is_away()
    {
        await AnswersAsync(await ApiAddressAsync(), "kubernetes.default.svc.cluster.local");
        var killed = _processes.Server;
        await ClusterProcesses.KillAsync(killed);
        Assert.Equal(await DigAsync("kubernetes.default.svc.cluster.local", "+short"), (await DigAsync("kubernetes.default.svc.cluster.local", "+short", "+tcp")));
        Assert.NotEmpty(await DigAsync("kubernetes.default.svc.cluster.local", "+short"));
        await _processes.WholeAgainAsync(killed);
    }

    [Fact]
    public async Task A_proxy_that_is_killed_again_and_again_loses_no_question()
    {
        var expected = await ApiAddressAsync();
        await AnswersAsync(expected, "kubernetes.default.svc.cluster.local");
        for (var i = 0; i < 5; i++)
        {
            var proxy = await Eventually.ValueAsync(() => Task.FromResult(ChildState.Load(_paths).FirstOrDefault(child => child.Name == "proxy")?.Process is { IsAlive: true } alive ? alive : null));
            Assert.True(Signals.Send(proxy.Pid, Signals.Kill));
            // One try each: a question that is lost would be seen. It waits in the socket for the next proxy.
            var udp = DigAsync("kubernetes.default.svc.cluster.local", "+short", "+tries=1", "+timeout=60");
            // A connection that the killed proxy had taken is cut; one that comes after it waits.
            await Eventually.TrueAsync(() => !proxy.IsAlive);
            var tcp = DigAsync("kubernetes.default.svc.cluster.local", "+short", "+tries=1", "+timeout=60", "+tcp");
            Assert.Equal([expected, expected], await Task.WhenAll(udp, tcp));
        }
    }

    private Task<string> ApiAddressAsync() => JsonPathAsync("{.spec.clusterIP}", "service", "kubernetes", "-n", "default");

    private async Task<string> JsonPathAsync(string path, params string[] what) => (await cluster.KubectlAsync(["get", .. what, "-o", "jsonpath=" + path])).Succeeded();

    private async Task AnswersAsync(string answer, params string[] question) =>
        await Eventually.TrueAsync(async () => (await DigAsync([.. question, "+short"])) == answer, $"dig {string.Join(' ', question)} says {answer}", null);

    private async Task<string> DigAsync(params string[] question) =>
        string.Join('\n', (await Shell.RunAsync("/usr/bin/dig", ["@" + Server, "+noall", "+answer", .. question])).Output.Split('\n').Where(line => !line.StartsWith(";; WARNING", StringComparison.Ordinal))).Trim();
}
