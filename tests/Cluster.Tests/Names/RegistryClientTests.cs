using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;
using Weft.Cluster.Tests.Mesh;
using Weft.Testing;

namespace Weft.Cluster.Tests.Names;

/// <summary>The registry and its names, by programs that others wrote: python3-consul2 and dig.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed partial class RegistryClientTests(MeshCluster cluster)
{
    [Fact]
    public async Task A_Consul_client_registers_renews_watches_and_leaves()
    {
        var name = Unused();
        var script = await cluster.RunAsync("/usr/bin/python3", [Script(), await PortAsync(), "10.9.9.9", name]);
        var service = $"('{name}-1', '10.9.9.9', 8080, ['v1'])";
        Assert.Equal($"""
            before 0
            registered 0
            renewed [{service}] later
            lapsed [] later
            again [{service}] later
            listed True True
            kv b'one' False
            gone [] later

            """, script.Succeeded(), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public async Task What_is_registered_has_names_in_DNS_and_pods_reach_it_by_them()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync($$"""
            {{MeshNamespace.Echo("legacy", "v7")}}
            ---
            {{TestNamespace.Deployment("client")}}
            """);
        await ns.RolledOutAsync("legacy-v7");
        await ns.RolledOutAsync("client");
        var (name, port) = (Unused(), await PortAsync());
        var address = await ns.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=legacy");
        async Task PutAsync(string path, string body) => (await cluster.RunAsync("curl", ["-sf", "-X", "PUT", $"http://127.0.0.1:{port}/v1/agent/{path}", "-d", body])).Succeeded();
        Task<string> ClientAsync(string script) => KubectlAsync(ns, script);
        await PutAsync("service/register", $$"""{"Name": "{{name}}", "ID": "{{name}}-1", "Address": "{{address}}", "Port": 8080, "Tags": ["v7"], "Weights": {"Passing": 5}, "Check": {"TTL": "10m", "Status": "passing"} }""");
        try
        {
            await Eventually.TrueAsync(async () => await ClientAsync($"dig +short {name}.service.consul") == address + "\n", "the name is known");
            Assert.Equal(address + "\n", await ClientAsync($"dig +short v7.{name}.service.dc1.consul"));
            Assert.Equal("", await ClientAsync($"dig +short v8.{name}.service.consul"));
            foreach (var question in new[] { $"{name}.service.consul SRV", $"_{name}._v7.service.consul SRV", $"_{name}._tcp.service.consul SRV" })
                Assert.Matches(@"^\d+ 5 8080 [0-9a-f]{8}\.addr\.(dc1\.)?consul\.\n$", await ClientAsync($"dig +short {question}"));
            Assert.Contains("NXDOMAIN", await ClientAsync($"dig no-{name}.service.consul"), StringComparison.Ordinal);
            Assert.Contains("\"VERSION\":\"v7\"", await ClientAsync($"curl -s -m 5 http://{name}.service.consul:8080/"), StringComparison.Ordinal);
            await PutAsync($"check/fail/service:{name}-1", "");
            await Eventually.TrueAsync(async () => await ClientAsync($"dig +short {name}.service.consul") == "", "one that fails is left out");
        }
        finally
        {
            await PutAsync($"service/deregister/{name}-1", "");
        }
    }

    private static async Task<string> KubectlAsync(TestNamespace ns, string script) => (await ns.KubectlAsync("exec", "deploy/client", "--", "sh", "-c", script)).Succeeded();

    private async Task<string> PortAsync() => Discovery().Match((await cluster.WeftAsync("status")).Succeeded()).Groups["port"].Value;

    private static string Unused() => string.Create(CultureInfo.InvariantCulture, $"s{Path.GetRandomFileName()[..8].ToLowerInvariant()}");

    private static string Script([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "registrant.py");

    [GeneratedRegex(@"discovery +http://127\.0\.0\.1:(?<port>\d+)")]
    private static partial Regex Discovery();
}
