using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Streams;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;
using Weft.ApiServer.Usage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Usage;

/// <summary>custom.metrics.k8s.io over nodes that the test makes up.</summary>
public sealed class RequestMetricsTests : IAsyncLifetime
{
    private const string Group = "/apis/custom.metrics.k8s.io", Namespace = Group + "/v1beta2/namespaces/default", Metric = "requests_per_second";

    private readonly FakeUsage _nodes = new();
    private readonly ManualTime _time = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        var store = new MemoryStore(TimeProvider.System);
        var objects = new StoredObjects(store);
        _server = await TestServer.StartAsync(store: store, parts: parts => parts with
        {
            Requests = new RequestMetrics(new NodeReadings(_nodes, objects, _time, NullLogger<NodeReadings>.Instance), objects), Paths = [new DiscoveryHandler(parts.Catalog)],
        });
        foreach (var node in (string[])["n1", "n2"])
        {
            (await _server.PostAsync("/api/v1/nodes", $$"""{"metadata":{"name":"{{node}}"} }""")).Expect(201);
            (await _server.PatchAsync($"/api/v1/nodes/{node}/status", "merge-patch+json", """{"status":{"conditions":[{"type":"Ready","status":"True"}]} }""")).Expect(200);
        }
        (await _server.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task PodAsync(string name, string address, string more = "", string app = "web")
    {
        (await _server.PostAsync("/api/v1/namespaces/default/pods", $$"""{"metadata":{"name":"{{name}}","labels":{"app":"{{app}}"} },"spec":{"nodeName":"n1",{{more}}"containers":[{"name":"main","image":"x"}]} }""")).Expect(201);
        (await _server.PatchAsync($"/api/v1/namespaces/default/pods/{name}/status", "merge-patch+json", $$"""{"status":{"phase":"Running","startTime":"{{ManualTime.Start:yyyy-MM-dd'T'HH:mm:ss'Z'}}","podIP":"{{address}}"} }""")).Expect(200);
    }

    private NodeUsage Sent(params (string Address, long Milli)[] to) =>
        NodeUsage.Nothing with { HasMesh = true, Requests = new RequestSamples(_time.GetUtcNow(), TimeSpan.FromSeconds(10), to.ToDictionary(pair => pair.Address, pair => pair.Milli)) };

    [Fact]
    public async Task What_all_nodes_send_to_a_pod_is_its_rate_and_that_of_a_service_is_the_sum_of_its_pods()
    {
        await PodAsync("a", "10.1.0.2");
        await PodAsync("b", "10.1.0.3");
        await PodAsync("idle", "10.1.0.4");
        await PodAsync("other", "10.1.0.5", app: "other");
        (await _server.PostAsync("/api/v1/namespaces/default/services", """{"metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}""")).Expect(201);
        _time.Advance(TimeSpan.FromHours(1));
        (_nodes["n1"], _nodes["n2"]) = (Sent(("10.1.0.2", 1500), ("10.1.0.3", 250), ("10.9.9.9", 7)), Sent(("10.1.0.2", 500), ("10.1.0.5", 9000)));

        Assert.Equal("a=2 b=250m idle=0 other=9", await ValuesAsync($"{Namespace}/pods/*/{Metric}"));
        Assert.Equal("a=2 b=250m idle=0", await ValuesAsync($"{Namespace}/pods/*/{Metric}?labelSelector=app%3Dweb"));
        Assert.Equal("b=250m", await ValuesAsync($"{Namespace}/pods/b/{Metric}"));
        Assert.Equal("web=2250m", await ValuesAsync($"{Namespace}/services/web/{Metric}"));

        Assert.Equal(
            """{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2","metadata":{},"items":[{"describedObject":{"kind":"Pod","namespace":"default","name":"b","apiVersion":"/v1"},"metric":{"name":"requests_per_second","selector":null},"timestamp":"2026-01-02T04:04:05Z","windowSeconds":10,"value":"250m"}]}""",
            (await _server.GetAsync($"{Namespace}/pods/b/{Metric}")).Expect(200).Body.ToJsonString());
        var older = (await _server.GetAsync($"{Group}/v1beta1/namespaces/default/pods/b/{Metric}")).Expect(200).Body["items"]![0]!;
        Assert.Equal(Metric, older["metricName"]!.GetValue<string>());
        Assert.False(older.AsObject().ContainsKey("metric"));
    }

    [Fact]
    public async Task Figures_that_would_be_too_small_are_none()
    {
        await PodAsync("a", "10.1.0.2");
        _time.Advance(TimeSpan.FromHours(1));
        _nodes["n1"] = Sent(("10.1.0.2", 1000));
        var missing = (await _server.GetAsync($"{Namespace}/pods/*/{Metric}")).Expect(503).Body["message"]!.GetValue<string>();
        Assert.StartsWith("node n2 does not say", missing, StringComparison.Ordinal);

        // Its agent is there, its proxy is not.
        _nodes["n2"] = NodeUsage.Nothing with { HasMesh = true };
        _time.Advance(TimeSpan.FromSeconds(5));
        (await _server.GetAsync($"{Namespace}/pods/*/{Metric}")).Expect(503);

        // A node that is not ready sends nothing.
        _nodes.Remove("n2");
        _time.Advance(TimeSpan.FromSeconds(5));
        (await _server.PatchAsync("/api/v1/nodes/n2/status", "merge-patch+json", """{"status":{"conditions":[{"type":"Ready","status":"Unknown"}]} }""")).Expect(200);
        Assert.Equal("a=1", await ValuesAsync($"{Namespace}/pods/*/{Metric}"));

        _nodes["n1"] = NodeUsage.Nothing;
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Contains("--mesh on", (await _server.GetAsync($"{Namespace}/pods/*/{Metric}")).Expect(503).Body["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task Pods_that_share_their_nodes_address_or_have_just_started_have_no_rate()
    {
        await PodAsync("host", "10.0.0.1", "\"hostNetwork\":true,");
        await PodAsync("new", "10.1.0.2");
        _time.Advance(TimeSpan.FromSeconds(5));
        (_nodes["n1"], _nodes["n2"]) = (Sent(("10.0.0.1", 1000), ("10.1.0.2", 1000)), Sent());
        Assert.Equal("", await ValuesAsync($"{Namespace}/pods/*/{Metric}"));
        (await _server.GetAsync($"{Namespace}/pods/new/{Metric}")).Expect(404);
    }

    [Fact]
    public async Task What_a_node_says_that_is_impossible_is_as_if_it_said_nothing()
    {
        await PodAsync("a", "10.1.0.2");
        _time.Advance(TimeSpan.FromHours(1));
        (_nodes["n1"], _nodes["n2"]) = (Sent(("10.1.0.2", -5)), Sent());
        (await _server.GetAsync($"{Namespace}/pods/*/{Metric}")).Expect(503);
        _nodes["n1"] = Sent(("10.1.0.2", long.MaxValue));
        _nodes["n2"] = Sent(("10.1.0.2", long.MaxValue));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("a=1G", await ValuesAsync($"{Namespace}/pods/*/{Metric}"));
    }

    [Fact]
    public async Task Everything_else_is_not_found_and_discovery_names_what_there_is()
    {
        (_nodes["n1"], _nodes["n2"]) = (Sent(), Sent());
        (await _server.GetAsync($"{Namespace}/pods/*/queue_length")).Expect(404);
        (await _server.GetAsync($"{Namespace}/pods/none/{Metric}")).Expect(404);
        (await _server.GetAsync($"{Namespace}/services/none/{Metric}")).Expect(404);
        (await _server.GetAsync($"{Namespace}/pods/*/{Metric}?metricLabelSelector=code%3D500")).Expect(400);
        (await _server.GetAsync($"{Namespace}/pods")).Expect(405);
        (await _server.PostAsync($"{Namespace}/pods/a/{Metric}", "{}")).Expect(405);
        var resources = (await _server.GetAsync(Group + "/v1beta2")).Expect(200).Body["resources"]!.AsArray();
        Assert.Equal(["pods/" + Metric, "services/" + Metric], resources.Where(one => one!["verbs"]!.AsArray().Count > 0).Select(one => one!["name"]!.GetValue<string>()));
        Assert.Equal("v1beta2", (await _server.GetAsync(Group)).Expect(200).Body["preferredVersion"]!["version"]!.GetValue<string>());
    }

    private async Task<string> ValuesAsync(string path) => string.Join(' ',
        (await _server.GetAsync(path)).Expect(200).Body["items"]!.AsArray().Select(item => $"{item!["describedObject"]!["name"]!.GetValue<string>()}={item["value"]!.GetValue<string>()}"));
}
