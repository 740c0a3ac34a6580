using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;
using Weft.Cluster.Tests.Mesh;
using Weft.Testing;

namespace Weft.Cluster.Tests.Names;

/// <summary>A cluster with a mesh whose services file names what a DNS server on its network knows.</summary>
public sealed class DnsSourceCluster : NetworkCluster
{
    private readonly TempDir _directory = new();

    internal string Records => _directory.File("records.json");

    protected override IReadOnlyList<string> UpArguments => ["--mesh", "on", "--services", _directory.File("services.yaml")];

    public override async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_directory.File("services.yaml"), $"services: {{orders: {{protocol: http, dns: {{srv: _orders._tcp.example.com, servers: ['{NodeAddress}:5300']}}}}}}\n");
        await base.InitializeAsync();
    }

    /// <summary>A script of this folder, where the cluster is; ended with the process.</summary>
    internal Process Start(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(Through[0], [.. Through.Skip(1), "/usr/bin/python3", Path.Combine(Path.GetDirectoryName(Here())!, script), .. arguments]);
        return Process.Start(start)!;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
    }

    private static string Here([CallerFilePath] string file = "") => file;
}

/// <summary>Names that DNS knows, from the record to the request: shares by weight, targets that go, and a server that is gone.</summary>
public sealed partial class DnsSourceTests(DnsSourceCluster cluster) : IClassFixture<DnsSourceCluster>, IAsyncLifetime
{
    private const string Both = """
        {"_orders._tcp.example.com": {"SRV": [[10, 3, 8080, "a.example.com"], [10, 1, 8081, "b.example.com"]]}, "a.example.com": {"A": ["192.0.2.1"]}, "b.example.com": {"A": ["192.0.2.2"]}}
        """;

    private const string OnlyB = """
        {"_orders._tcp.example.com": {"SRV": [[10, 1, 8081, "b.example.com"]]}, "b.example.com": {"A": ["192.0.2.2"]}}
        """;

    // Of nobody: RFC 5737.
    private static readonly string[] Addresses = ["192.0.2.1/32", "192.0.2.2/32"];

    private readonly List<Process> _programs = [];

    public async ValueTask InitializeAsync()
    {
        foreach (var address in Addresses)
            (await cluster.RunAsync("ip", ["addr", "add", address, "dev", "up0"])).Succeeded();
        _programs.Add(cluster.Start("web_server.py", "192.0.2.1", "8080", "a"));
        _programs.Add(cluster.Start("web_server.py", "192.0.2.2", "8081", "b"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _programs)
        {
            program.Kill();
            await program.WaitForExitAsync();
            program.Dispose();
        }
        foreach (var address in Addresses)
            (await cluster.RunAsync("ip", ["addr", "del", address, "dev", "up0"])).Succeeded();
    }

    [Fact]
    public async Task A_pod_reaches_the_targets_by_weight_and_what_DNS_takes_back_gets_nothing_more()
    {
        await File.WriteAllTextAsync(cluster.Records, Both);
        var dns = cluster.Start("dns_server.py", NetworkCluster.NodeAddress, "5300", cluster.Records);
        _programs.Add(dns);
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(TestNamespace.Deployment("client"));
        await ns.RolledOutAsync("client");

        await ns.EventuallyAsync("both targets answer", async () => (await AnswersAsync(ns, 40)).Keys.Order().SequenceEqual(["a", "b"]));
        var shares = await AnswersAsync(ns, 400);
        Assert.Equal(400, shares.Values.Sum());
        Assert.InRange(shares["a"], 260, 340);

        await ReplaceAsync(OnlyB);
        await ns.EventuallyAsync("the target that is gone is asked no more", async () => (await AnswersAsync(ns, 40)).Keys.SequenceEqual(["b"]));
        Assert.Equal(200, (await AnswersAsync(ns, 200)).GetValueOrDefault("b"));

        // Nobody answers any more, which is no answer: the last good one goes on.
        dns.Kill();
        await dns.WaitForExitAsync();
        var port = Discovery().Match((await cluster.WeftAsync("status")).Succeeded()).Groups["port"].Value;
        await ns.EventuallyAsync("the table says that the server is gone", async () => (await cluster.RunAsync("curl", ["-sf", $"http://127.0.0.1:{port}/v1/weft/names/orders"])).Output.Contains("\"trouble\"", StringComparison.Ordinal));
        Assert.Equal(200, (await AnswersAsync(ns, 200)).GetValueOrDefault("b"));
    }

    // In one step: the server must not read half of it.
    private async Task ReplaceAsync(string records)
    {
        await File.WriteAllTextAsync(cluster.Records + ".new", records);
        File.Move(cluster.Records + ".new", cluster.Records, overwrite: true);
    }

    private static async Task<IReadOnlyDictionary<string, int>> AnswersAsync(TestNamespace ns, int requests) =>
        MeshNamespace.Counted((await ns.KubectlAsync("exec", "deploy/client", "--", "sh", "-c", $"curl -s -m 30 'http://orders.service.consul/?n=[1-{requests.ToString(CultureInfo.InvariantCulture)}]' | sort | uniq -c; true")).Succeeded());

    [GeneratedRegex(@"discovery +http://127\.0\.0\.1:(?<port>\d+)")]
    private static partial Regex Discovery();
}
