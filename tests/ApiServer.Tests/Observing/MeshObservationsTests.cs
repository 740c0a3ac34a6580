using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Streams;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Observing;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage.Memory;

namespace Weft.ApiServer.Tests.Observing;

/// <summary>mesh.weft.dev over nodes that the test makes up: who may ask what, and whose word counts.</summary>
public sealed class MeshObservationsTests : IAsyncLifetime
{
    private const string Group = "/apis/mesh.weft.dev/v1";
    private readonly FakeProxies _proxies = new();
    private readonly RecordingAuthorizer _authorizer = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        var store = new MemoryStore(TimeProvider.System);
        var observations = new MeshObservations(_proxies, () => [.. _proxies.Nodes.Keys.Order()], "n1", new StoredObjects(store), TimeProvider.System);
        _server = await TestServer.StartAsync(store: store, parts: parts => parts with { Paths = [observations], Authorizer = _authorizer });
        (await _server.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
        (await _server.PostAsync("/api/v1/namespaces/default/pods", """{"metadata":{"name":"front"},"spec":{"nodeName":"n2","containers":[{"name":"main","image":"x"}]}}""")).Expect(201);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static List<JsonObject> Lines(Answer answer) => [.. answer.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];

    [Fact]
    public async Task All_nodes_are_asked_with_the_namespace_of_the_path_and_a_node_speaks_for_itself_alone()
    {
        _proxies.Nodes["n1"] = """{"node":"n2","request":{"node":"n2","path":"/x"}}""" + "\n";
        _proxies.Nodes["n2"] = """{"request":{"path":"/y"}}""" + "\n{}\n";
        var lines = Lines(await _server.GetAsync($"{Group}/namespaces/shop/requests?target=svc/a&failed=true&namespace=bank&limit=5"));
        Assert.Equal(["n1 /x", "n2 /y"], lines.Where(line => line["request"] is not null).Select(line => $"{line["node"]} {line["request"]!["path"]}").Order());
        Assert.All(lines.Where(line => line["request"] is not null), line => Assert.Equal((string?)line["node"], (string?)line["request"]!["node"]));
        Assert.Equal("""{"do":"records","filter":{"target":"svc/a","failed":true,"namespace":"shop"},"limit":5}""", _proxies.Questions.Last());
    }

    [Fact]
    public async Task Each_right_is_a_verb_on_a_resource()
    {
        _proxies.Nodes["n1"] = "";
        await _server.GetAsync($"{Group}/namespaces/shop/requests");
        Assert.Equal("list requests mesh.weft.dev shop", _authorizer.Last);
        await _server.GetAsync($"{Group}/metrics");
        Assert.Equal("list metrics mesh.weft.dev ", _authorizer.Last);
        await _server.PostAsync($"{Group}/namespaces/default/explanations", "{}");
        Assert.Equal("create explanations mesh.weft.dev default", _authorizer.Last);
        _authorizer.Allows = false;
        (await _server.GetAsync($"{Group}/requests?watch=true")).Expect(403);
        Assert.Equal("watch requests mesh.weft.dev ", _authorizer.Last);
        (await _server.PostAsync($"{Group}/namespaces/default/explanations", """{"pod":"front"}""")).Expect(403);
        Assert.Equal(2, _proxies.Questions.Count);
    }

    [Theory]
    [InlineData("/requests/one")]
    [InlineData("/requests?fieldSelector=metadata.name%3Done")]
    [InlineData("/requests/one/log")]
    [InlineData("/others")]
    public async Task What_has_a_name_is_not_there(string path) => (await _server.GetAsync(Group + path)).Expect(404);

    [Fact]
    public async Task A_node_that_cannot_be_asked_or_answers_rubbish_is_named_and_the_others_are_heard()
    {
        _proxies.Nodes["n1"] = "no JSON\n";
        _proxies.Nodes["n2"] = """{"request":{"path":"/y"}}""" + "\n";
        _proxies.Nodes["n3"] = null;
        var lines = Lines(await _server.GetAsync($"{Group}/requests"));
        Assert.Contains("JSON", (string?)lines.Single(line => (string?)line["node"] == "n1")["error"], StringComparison.Ordinal);
        Assert.Equal("away", (string?)lines.Single(line => (string?)line["node"] == "n3")["error"]);
        Assert.NotNull(lines.Single(line => (string?)line["node"] == "n2")["request"]);
    }

    [Fact]
    public async Task Metrics_of_one_namespace_are_the_series_that_name_it()
    {
        _proxies.Nodes["n1"] = new JsonObject { ["metrics"] = "# TYPE a counter\na{source_workload_namespace=\"shop\"} 1\na{destination_service_namespace=\"bank\"} 2\nb 3\n" }.ToJsonString() + "\n";
        Assert.Equal("# TYPE a counter\na{source_workload_namespace=\"shop\"} 1\n", (string?)Assert.Single(Lines(await _server.GetAsync($"{Group}/namespaces/shop/metrics")))["metrics"]);
        Assert.Contains("b 3", (string?)Assert.Single(Lines(await _server.GetAsync($"{Group}/metrics")))["metrics"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_node_of_the_pod_explains_and_pods_that_are_not_there_are_told()
    {
        _proxies.Nodes["n1"] = """{"explanation":{"summary":"one"}}""" + "\n";
        _proxies.Nodes["n2"] = """{"explanation":{"summary":"two"}}""" + "\n";
        var answer = (await _server.PostAsync($"{Group}/namespaces/default/explanations", """{"from":"pod","pod":"front","namespace":"bank","address":"10.0.0.9"}""")).Expect(200);
        Assert.Equal(("n2", "two"), ((string?)answer.Body["node"], (string?)answer.Body["explanation"]!["summary"]));
        Assert.Equal("""{"do":"explain","question":{"from":"pod","pod":"front","namespace":"default"}}""", _proxies.Questions.Last());
        Assert.Equal("one", (string?)(await _server.PostAsync($"{Group}/namespaces/default/explanations", """{"from":"outside"}""")).Expect(200).Body["explanation"]!["summary"]);
        (await _server.PostAsync($"{Group}/namespaces/default/explanations", """{"pod":"nobody"}""")).Expect(404);
        (await _server.PostAsync($"{Group}/namespaces/default/explanations", """{"pod":1}""")).Expect(404);
        (await _server.PostAsync($"{Group}/namespaces/default/explanations", "[]")).Expect(400);
        (await _server.PostAsync($"{Group}/namespaces/default/explanations", "{")).Expect(400);
        (await _server.PostAsync($"{Group}/namespaces/default/explanations", $$"""{"pod":"{{new string('x', 70_000)}}"}""")).Expect(413);
        // Short enough, and too long as a text in an order.
        (await _server.PostAsync($"{Group}/namespaces/default/explanations", $$"""{"pod":"front","path":"{{new string('\'', 30_000)}}"}""")).Expect(413);
        _proxies.Nodes["n2"] = null;
        (await _server.PostAsync($"{Group}/namespaces/default/explanations", """{"pod":"front"}""")).Expect(503);
    }

    [Fact]
    public async Task A_node_that_comes_later_is_watched_too()
    {
        _proxies.Nodes["n1"] = """{"request":{"path":"/x"}}""" + "\n";
        using var stream = await _server.Http.GetStreamAsync($"{Group}/requests?watch=true", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        Assert.Contains("/x", await reader.ReadLineAsync(), StringComparison.Ordinal);
        _proxies.Nodes["n2"] = """{"request":{"path":"/late"}}""" + "\n";
        string? line;
        while ((line = await reader.ReadLineAsync()) is not null && !line.Contains("/late", StringComparison.Ordinal))
        {
            // The first node, asked again.
        }

        Assert.Contains("n2", line, StringComparison.Ordinal);
        Assert.StartsWith("""{"do":"tap""", _proxies.Questions.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_keeps_a_node_from_answering_is_told_once_however_often_it_is_asked()
    {
        _proxies.Nodes["n1"] = null;
        _proxies.Nodes["n2"] = """{"request":{"path":"/x"}}""" + "\n";
        using var stream = await _server.Http.GetStreamAsync($"{Group}/requests?watch=true", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var (errors, requests) = (0, 0);
        while (requests < 4)
        {
            var line = await reader.ReadLineAsync() ?? throw new IOException("it has ended");
            errors += line.Contains("away", StringComparison.Ordinal) ? 1 : 0;
            requests += line.Contains("/x", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.Equal(1, errors);
    }

    private sealed class RecordingAuthorizer : IAuthorizer
    {
        public bool Allows { get; set; } = true;

        public string Last { get; private set; } = "";

        public ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken)
        {
            Last = $"{attributes.Verb} {attributes.Resource} {attributes.Group} {attributes.Namespace}";
            return new(new AccessDecision(Allows, ""));
        }
    }

    /// <summary>Answers by node; null: away.</summary>
    private sealed class FakeProxies : IPodStreams
    {
        public ConcurrentDictionary<string, string?> Nodes { get; } = new();

        public ConcurrentQueue<string> Questions { get; } = new();

        public async Task InspectAsync(string node, string question, Stream output, CancellationToken cancellationToken)
        {
            Questions.Enqueue(question);
            await output.WriteAsync(Encoding.UTF8.GetBytes(Nodes[node] ?? throw new PodStreamException(PodStreamError.NotRunning, "away")), cancellationToken);
        }

        public Task LogsAsync(PodStreamTarget target, LogOptions options, Stream output, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task<int> ExecAsync(PodStreamTarget target, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task AttachAsync(PodStreamTarget target, ContainerStreams streams, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task<Stream> ConnectAsync(PodStreamTarget target, int port, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
