using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Streams;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;
using Weft.ApiServer.Usage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Usage;

/// <summary>metrics.k8s.io over nodes that the test makes up.</summary>
public sealed class UsageMetricsTests : IAsyncLifetime
{
    private const string Group = "/apis/metrics.k8s.io/v1beta1";
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io";

    private readonly FakeUsage _nodes = new();
    private readonly ManualTime _time = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        var store = new MemoryStore(TimeProvider.System);
        var objects = new StoredObjects(store);
        _server = await TestServer.StartAsync(store: store, parts: parts => parts with
        {
            Live = [new UsageMetrics(new NodeReadings(_nodes, objects, _time, NullLogger<NodeReadings>.Instance), objects)],
        });
        foreach (var node in (string[])["n1", "n2"])
            (await _server.PostAsync("/api/v1/nodes", $$"""{"metadata":{"name":"{{node}}","labels":{"zone":"{{node}}"} } }""")).Expect(201);
        (await _server.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"other"}}""")).Expect(201);
        foreach (var ns in (string[])["default", "other"])
            (await _server.PostAsync($"/api/v1/namespaces/{ns}/serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<string> PodAsync(string name, string node, string ns = "default") =>
        (await _server.PostAsync($"/api/v1/namespaces/{ns}/pods",
            $$"""{"metadata":{"name":"{{name}}","labels":{"app":"{{name}}"} },"spec":{"nodeName":"{{node}}","containers":[{"name":"main","image":"x"}]} }""")).Expect(201).Metadata["uid"]!.GetValue<string>();

    private static UsageSample Sample(long milliCores, long mebibytes) => new(ManualTime.Start, TimeSpan.FromSeconds(10.25), milliCores * 1_000_000, mebibytes * 1024 * 1024);

    private static PodSamples Pod(string uid, long milliCores, long mebibytes) => new(uid, [new ContainerSample("main", Sample(milliCores, mebibytes))]);

    [Fact]
    public async Task Pods_and_nodes_are_got_listed_selected_and_shown_as_tables()
    {
        var (a, b) = (await PodAsync("a", "n1"), await PodAsync("b", "n2", "other"));
        _nodes["n1"] = new NodeUsage(Sample(1500, 2048), [Pod(a, 250, 100)]);
        _nodes["n2"] = new NodeUsage(Sample(10, 512), [Pod(b, 5, 7)]);

        var pod = (await _server.GetAsync($"{Group}/namespaces/default/pods/a")).Expect(200).Body;
        Assert.Equal(("PodMetrics", "metrics.k8s.io/v1beta1", "10.25s", "2026-01-02T03:04:05Z"),
            (pod["kind"]!.GetValue<string>(), pod["apiVersion"]!.GetValue<string>(), pod["window"]!.GetValue<string>(), pod["timestamp"]!.GetValue<string>()));
        Assert.Equal("""[{"name":"main","usage":{"cpu":"250m","memory":"100Mi"}}]""", pod["containers"]!.ToJsonString());
        Assert.Equal(["a", "b"], await NamesAsync($"{Group}/pods"));
        Assert.Equal(["a"], await NamesAsync($"{Group}/namespaces/default/pods"));
        Assert.Equal(["b"], await NamesAsync($"{Group}/pods?labelSelector=app%3Db"));
        Assert.Equal(["n2"], await NamesAsync($"{Group}/nodes?labelSelector=zone%3Dn2"));
        Assert.Equal(["n1"], await NamesAsync($"{Group}/nodes?fieldSelector=metadata.name%3Dn1"));
        Assert.Equal("1500m", (await _server.GetAsync($"{Group}/nodes/n1")).Expect(200).Body["usage"]!["cpu"]!.GetValue<string>());

        var table = (await _server.GetAsync($"{Group}/pods", Table)).Expect(200).Body;
        Assert.Equal("Name CPU Memory Window", string.Join(' ', table["columnDefinitions"]!.AsArray().Select(column => column!["name"]!.GetValue<string>())));
        Assert.Equal("""["a","250m","100Mi","10.25s"]""", table["rows"]![0]!["cells"]!.ToJsonString());

        (await _server.GetAsync($"{Group}/namespaces/default/pods/b")).Expect(404);
        (await _server.GetAsync($"{Group}/nodes?watch=true")).Expect(405);
        (await _server.DeleteAsync($"{Group}/nodes/n1")).Expect(405);
    }

    [Fact]
    public async Task A_node_is_believed_about_its_own_pods_only()
    {
        var (mine, other) = (await PodAsync("mine", "n1"), await PodAsync("other", "n2"));
        _nodes["n1"] = new NodeUsage(null, [Pod(mine, 100, 1), Pod(other, 9999, 1), Pod("nobody", 1, 1)]);
        Assert.Equal(["mine"], await NamesAsync($"{Group}/pods"));
        Assert.Empty(await NamesAsync($"{Group}/nodes"));
    }

    [Fact]
    public async Task A_node_that_does_not_answer_costs_its_own_figures_only()
    {
        _nodes["n1"] = new NodeUsage(Sample(1, 1), []);
        Assert.Equal(["n1"], await NamesAsync($"{Group}/nodes"));
    }

    [Fact]
    public async Task What_a_node_leaves_out_or_makes_up_hurts_nobody_else()
    {
        var (good, bad) = (await PodAsync("good", "n1"), await PodAsync("bad", "n2"));
        _nodes["n1"] = new NodeUsage(Sample(1, 1), [Pod(good, 1, 1)]);
        foreach (var json in (string[])["{}", """{"node":{},"pods":[null,{},{"uid":"UID"},{"uid":"UID","containers":[null,{},{"name":"main"}]}]}""",
            """{"node":{"window":"-00:00:10","nanoCores":1},"pods":[{"uid":"UID","containers":[{"name":"main","usage":{"window":"00:00:10","nanoCores":-5,"memoryBytes":1}}]}]}"""])
        {
            _nodes["n2"] = System.Text.Json.JsonSerializer.Deserialize(json.Replace("UID", bad, StringComparison.Ordinal), Weft.Api.Streams.Tunnels.TunnelJson.Default.NodeUsage)!;
            _time.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(["good"], await NamesAsync($"{Group}/pods"));
            Assert.Equal(["n1"], await NamesAsync($"{Group}/nodes"));
        }
    }

    [Fact]
    public async Task Who_asks_again_within_moments_gets_the_same_round()
    {
        _nodes["n1"] = new NodeUsage(Sample(1, 1), []);
        await NamesAsync($"{Group}/nodes");
        await NamesAsync($"{Group}/nodes");
        Assert.Equal(2, _nodes.Asked);
        _time.Advance(TimeSpan.FromSeconds(5));
        await NamesAsync($"{Group}/nodes");
        Assert.Equal(4, _nodes.Asked);
    }

    [Fact]
    public async Task Without_a_source_they_are_unavailable()
    {
        await using var bare = await TestServer.StartAsync();
        (await bare.GetAsync($"{Group}/nodes")).Expect(503);
    }

    private async Task<IEnumerable<string>> NamesAsync(string path) =>
        (await _server.GetAsync(path)).Expect(200).Body["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.GetValue<string>());
}
