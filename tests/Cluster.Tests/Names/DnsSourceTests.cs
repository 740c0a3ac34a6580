using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;
using Weft.Cluster.Tests.Mesh;
using Weft.Testing;

namespace Weft.Cluster.Tests.Names;

/// <summary>A cluster with a mesh whose services file names what a DNS server knows.</summary>
public sealed class DnsSourceCluster : NetworkCluster
{
    private readonly TempDir _directory = new();

    protected override IReadOnlyList<string> UpArguments => ["--mesh", "on", "--services", _directory.File("services.yaml")];

    public override async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_directory.File("services.yaml"), $"services: {{orders: {{protocol: http, dns: {{srv: _orders._tcp.example.com, servers: ['{FarNetwork.Address}:5300']}}}}}}\n");
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
    }
}

/// <summary>A neighbour of the cluster: a network of its own with the addresses of two targets and a DNS server, which no address of the node is.</summary>
internal sealed class FarNetwork(NetworkCluster cluster) : IAsyncDisposable
{
    public const string Address = "172.31.79.2";

    private readonly TempDir _directory = new();
    private readonly List<Process> _programs = [];
    private readonly string _name = $"weft-{cluster.Name}-far";

    private string Here => Path.GetFileName(cluster.NetworkPath);

    private string Records => _directory.File("records.json");

    public async Task StartAsync()
    {
        foreach (var command in (string[])[
            $"netns add {_name}", $"-n {_name} link set lo up", $"-n {Here} link add far0 type veth peer name far1 netns {_name}",
            $"-n {Here} addr add 172.31.79.1/24 dev far0", $"-n {Here} link set far0 up", $"-n {_name} addr add {Address}/24 dev far1",
            // Of nobody: RFC 5737.
            $"-n {_name} addr add 192.0.2.1/32 dev far1", $"-n {_name} addr add 192.0.2.2/32 dev far1", $"-n {_name} link set far1 up", $"-n {Here} route add 192.0.2.0/24 via {Address}"])
            (await Shell.RunAsync("ip", command.Split(' '))).Succeeded();
        Start("web_server.py", "192.0.2.1", "8080", "a");
        Start("web_server.py", "192.0.2.2", "8081", "b");
    }

    public Process StartDns() => Start("dns_server.py", Address, "5300", Records);

    /// <summary>What DNS answers from now on. In one step: the server must not read half of it.</summary>
    public async Task KnowsAsync(string records)
    {
        await File.WriteAllTextAsync(Records + ".new", records);
        File.Move(Records + ".new", Records, overwrite: true);
    }

    private Process Start(string script, params string[] arguments)
    {
        var program = Process.Start(new ProcessStartInfo("nsenter", [$"--net=/run/netns/{_name}", "/usr/bin/python3", Path.Combine(Path.GetDirectoryName(ThisFile())!, script), .. arguments]))!;
        _programs.Add(program);
        return program;
    }

    private static string ThisFile([CallerFilePath] string file = "") => file;

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _programs)
        {
            program.Kill();
            await program.WaitForExitAsync();
            program.Dispose();
        }
        foreach (var command in (string[])[$"-n {Here} link del far0", $"netns del {_name}"])
            (await Shell.RunAsync("ip", command.Split(' '))).Succeeded();
        _directory.Dispose();
    }
}

/// <summary>Names that DNS knows, from the record to the request: shares by weight, targets that go, and a server that is gone.</summary>
public sealed partial class DnsSourceTests(DnsSourceCluster cluster) : IClassFixture<DnsSourceCluster>
{
    private const string Both = """
        {"_orders._tcp.example.com": {"SRV": [[10, 3, 8080, "a.example.com"], [10, 1, 8081, "b.example.com"]]}, "a.example.com": {"A": ["192.0.2.1"]}, "b.example.com": {"A": ["192.0.2.2"]}}
        """;

    private const string OnlyB = """
        {"_orders._tcp.example.com": {"SRV": [[10, 1, 8081, "b.example.com"]]}, "b.example.com": {"A": ["192.0.2.2"]}}
        """;

    [Fact]
    public async Task A_pod_reaches_the_targets_by_weight_and_what_DNS_takes_back_gets_nothing_more()
    {
        await using var far = new FarNetwork(cluster);
        await far.StartAsync();
        await far.KnowsAsync(Both);
        var dns = far.StartDns();
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(TestNamespace.Deployment("client"));
        await ns.RolledOutAsync("client");

        await ns.EventuallyAsync("both targets answer", async () => (await AnswersAsync(ns, 40)).Keys.Order().SequenceEqual(["a", "b"]));
        var shares = await AnswersAsync(ns, 400);
        Assert.Equal(400, shares.Values.Sum());
        Assert.InRange(shares["a"], 260, 340);

        await far.KnowsAsync(OnlyB);
        await ns.EventuallyAsync("the target that is gone is asked no more", async () => (await AnswersAsync(ns, 40)).Keys.SequenceEqual(["b"]));
        Assert.Equal(200, (await AnswersAsync(ns, 200)).GetValueOrDefault("b"));

        // Nobody answers any more, which is no answer: the last good one goes on.
        dns.Kill();
        await dns.WaitForExitAsync();
        var port = Discovery().Match((await cluster.WeftAsync("status")).Succeeded()).Groups["port"].Value;
        await ns.EventuallyAsync("the table says that the server is gone", async () => (await cluster.RunAsync("curl", ["-sf", $"http://127.0.0.1:{port}/v1/weft/names/orders"])).Output.Contains("\"trouble\"", StringComparison.Ordinal));
        Assert.Equal(200, (await AnswersAsync(ns, 200)).GetValueOrDefault("b"));
    }

    private static async Task<IReadOnlyDictionary<string, int>> AnswersAsync(TestNamespace ns, int requests) =>
        MeshNamespace.Counted((await ns.KubectlAsync("exec", "deploy/client", "--", "sh", "-c", $"curl -s -m 30 'http://orders.service.consul/?n=[1-{requests.ToString(CultureInfo.InvariantCulture)}]' | sort | uniq -c; true")).Succeeded());

    [GeneratedRegex(@"discovery +http://127\.0\.0\.1:(?<port>\d+)")]
    private static partial Regex Discovery();
}
