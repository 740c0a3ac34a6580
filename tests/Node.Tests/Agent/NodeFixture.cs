using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Schemas;
using Weft.ApiServer;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Certificates;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Tables;
using Weft.Client;
using Weft.Node.Agent;
using Weft.Node.Runtime;
using Weft.Node.Tests.Runtime;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

/// <summary>A real API server over a store in memory, and a node agent on this machine with directories and addresses of its own.</summary>
internal sealed class NodeFixture : IAsyncDisposable
{
    private readonly MachineState _before = MachineState.Take();
    private readonly string _forward = File.ReadAllText("/proc/sys/net/ipv4/ip_forward");
    private readonly string _root = Path.Combine(Path.GetTempPath(), "weft-n" + Chance.Next());
    private readonly MemoryStore _store = new(TimeProvider.System);
    private readonly ApiServerHost _api;
    private readonly ClusterPki _pki;
    private Func<CancellationToken, Task<ImageRuntime>>? _images;

    private NodeFixture(int subnet)
    {
        var loggers = Environment.GetEnvironmentVariable("WEFT_TEST_LOG") is null ? (ILoggerFactory)NullLoggerFactory.Instance : LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Debug).AddConsole());
        Loggers = loggers;
        Directory.CreateDirectory(_root);
        _pki = ClusterPki.LoadOrCreate(new PkiOptions(Path.Combine(_root, "pki")), TimeProvider.System);
        var objects = new StoredObjects(_store);
        var tokens = new ServiceAccountTokens(_pki.ServiceAccountKey, new([_pki.ServiceAccountKey.PublicKey]), new(), objects, TimeProvider.System);
        _api = new ApiServerHost(
            new ApiServerOptions { Store = _store, Time = TimeProvider.System, Random = Chance.Source, Loggers = NullLoggerFactory.Instance, ServiceCidr = $"10.212.{subnet}.0/24" },
            new ApiServerParts
            {
                Catalog = new Catalog(BuiltInResources.All(new SchemaReader(), kind => Columns.For(kind.Kind))),
                Authenticator = new InProcessAuthenticator(),
                Authorizer = new AllowAll(),
                Virtuals = [new TokenRequests(tokens, objects, TimeProvider.System)],
            });
        Options = new NodeAgentOptions
        {
            NodeName = "n1",
            ClusterName = Path.GetFileName(_root),
            DataDir = Path.Combine(_root, "d"),
            RunDir = Path.Combine(_root, "r"),
            PodCidr = $"10.213.{subnet}.0/24",
            ClusterCidr = "10.213.0.0/16",
            ServiceCidr = $"10.212.{subnet}.0/24",
            ApiPort = 6443,
        };
        Client = new KubeClient(_api.CreateHandler(new UserInfo("system:node:n1", ["system:nodes"])), TimeProvider.System, "weft-node");
    }

    public NodeAgentOptions Options { get; private set; }
    public KubeClient Client { get; }
    public NodeAgent Agent { get; private set; } = null!;
    public ILoggerFactory Loggers { get; }

    /// <param name="images">The runtime of images; null: none.</param>
    public static Task<NodeFixture> StartAsync(int subnet, Func<CancellationToken, Task<ImageRuntime>>? images = null) => StartAsync(new NodeFixture(subnet) { _images = images });

    /// <summary>In a cluster with a mesh, whose proxy is not there.</summary>
    public static Task<NodeFixture> StartMeshedAsync(int subnet)
    {
        var fixture = new NodeFixture(subnet);
        fixture.Options = fixture.Options with { MeshSocket = Path.Combine(fixture._root, "mesh.sock") };
        return StartAsync(fixture);
    }

    /// <param name="images">The runtime of images, by what the agent is told.</param>
    public static Task<NodeFixture> StartAsync(int subnet, Func<NodeAgentOptions, Func<CancellationToken, Task<ImageRuntime>>> images)
    {
        var fixture = new NodeFixture(subnet);
        fixture._images = images(fixture.Options);
        return StartAsync(fixture);
    }

    private static async Task<NodeFixture> StartAsync(NodeFixture fixture)
    {
        await fixture._api.StartAsync(CancellationToken.None);
        foreach (var name in new[] { "default", "kube-system", "kube-node-lease" })
            await fixture.EnsureNamespaceAsync(name);
        await fixture.CreateAsync("""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"default"}}""");
        await fixture.CreateAsync("""{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"process"},"handler":"process"}""");
        await fixture.CreateAsync("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kube-root-ca.crt","namespace":"default"},"data":{"ca.crt":"none"}}""");
        await fixture.StartAgentAsync();
        return fixture;
    }

    public async Task StartAgentAsync() => Agent = await NodeAgent.StartAsync(Options, Client, TimeProvider.System, Chance.Source, Loggers, _images);

    public async Task RestartAgentAsync()
    {
        await Agent.DisposeAsync();
        await StartAgentAsync();
    }

    public Task RestartWithoutMeshAsync()
    {
        Options = Options with { MeshSocket = null };
        return RestartAgentAsync();
    }

    private async Task EnsureNamespaceAsync(string name)
    {
        if (await Client.For<Namespace>().FindAsync(new ObjectKey("", name), default) is null)
            await Client.For<Namespace>().CreateAsync(null, new Namespace { Metadata = new ObjectMeta { Name = name } }, default);
    }

    public async Task CreateAsync(string json)
    {
        var tree = JsonNode.Parse(json)!.AsObject();
        var kind = BuiltInKinds.All().First(k => k.Kind.Kind == (string)tree["kind"]! && k.Kind.ApiVersion == (string)tree["apiVersion"]!);
        await Client.Raw(new ApiResource(kind.Resource, kind.Kind.Kind, kind.Namespaced)).CreateAsync((string?)tree["metadata"]?["namespace"], tree, default);
    }

    /// <summary>A process pod bound to the node, from the JSON of its spec.</summary>
    public async Task<Pod> PodAsync(string name, string spec, string? metadata = null)
    {
        var tree = JsonNode.Parse(spec)!.AsObject();
        tree["nodeName"] = Options.NodeName;
        if (!tree.ContainsKey("runtimeClassName"))
            tree["runtimeClassName"] = "process";
        foreach (var container in (tree["containers"]?.AsArray() ?? []).Concat(tree["initContainers"]?.AsArray() ?? []))
            container!["image"] ??= "none";
        var meta = metadata is null ? new JsonObject() : JsonNode.Parse(metadata)!.AsObject();
        (meta["name"], meta["namespace"]) = (name, "default");
        var pod = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = meta, ["spec"] = tree };
        return await Client.For<Pod>().CreateAsync("default", ApiJson.FromTree<Pod>(pod), default);
    }

    /// <summary>A strategic merge patch of a subresource, as an administrator.</summary>
    public async Task PatchAsync(string path, string json)
    {
        using var http = new HttpClient(_api.CreateHandler(new UserInfo("admin", ["system:masters"])));
        using var content = new StringContent(json, System.Text.Encoding.UTF8, "application/strategic-merge-patch+json");
        using var answer = await http.PatchAsync(new Uri("http://localhost/" + path), content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public Task<Pod?> FindAsync(string name) => Client.For<Pod>().FindAsync(new ObjectKey("default", name), default);

    public async Task<Pod> UntilAsync(string name, Func<Pod, bool> condition, string what)
    {
        Pod? last = null;
        try
        {
            await Eventually.TrueAsync(async () => (last = await FindAsync(name)) is not null && condition(last), what);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"pod {name} never: {what}\n{(last is null ? "gone" : ApiJson.ToTree(last.Status).ToJsonString())}\n{string.Join('\n', (await EventsAsync(name)).Select(e => $"{e.Reason}: {e.Message}"))}");
        }
        return last!;
    }

    public Task<Pod> ReadyAsync(string name) => UntilAsync(name, IsReady, "ready");

    public static bool IsReady(Pod pod) => pod.Status.Conditions.Any(c => c is { Type: "Ready", Status: "True" });

    public Task GoneAsync(string name) => Eventually.TrueAsync(async () => await FindAsync(name) is null, $"pod {name} gone");

    public Task DeleteAsync(string name, long? grace = null) =>
        Client.For<Pod>().DeleteAsync(new ObjectKey("default", name), default, new Deletion { GracePeriodSeconds = grace });

    public async Task<IReadOnlyList<Event>> EventsAsync(string pod) =>
        [.. (await Client.For<Event>().ListAsync("default", default)).Items.Where(e => e.InvolvedObject.Name == pod)];

    public async Task<string> LogAsync(string pod, string container = "main", Weft.Api.Streams.LogOptions? options = null)
    {
        var found = (await FindAsync(pod))!;
        using var output = new MemoryStream();
        await Agent.Streams.LogsAsync(new("default", pod, found.Metadata.Uid!, container), options ?? new(), output, default);
        return System.Text.Encoding.UTF8.GetString(output.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        await Agent.DisposeAsync();
        Assert.Empty(await NodeCleanup.RunAsync(Options, TimeProvider.System));
        await _api.DisposeAsync();
        await _store.DisposeAsync();
        _pki.Dispose();
        Directory.Delete(_root, recursive: true);
        await _before.AssertUnchangedAsync(Options.ClusterName);
        // A cluster of somebody else on this machine still needs it.
        if (!await Weft.Node.Network.NodeFirewall.HasOtherNodesAsync(Options.ClusterName))
            Assert.Equal(_forward, File.ReadAllText("/proc/sys/net/ipv4/ip_forward"));
    }

    private sealed class Catalog(IReadOnlyList<ResourceInfo> all) : IResourceCatalog
    {
        public ResourceSnapshot Current { get; } = new(1, all);
    }

    private sealed class AllowAll : IAuthorizer
    {
        public ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken) => new(new AccessDecision(true, ""));
    }
}
