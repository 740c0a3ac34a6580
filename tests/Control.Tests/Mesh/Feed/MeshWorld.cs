using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.Mesh.Feed;
using Weft.Control.Tests.Cluster;
using Weft.Testing;

namespace Weft.Control.Tests.Mesh.Feed;

/// <summary>A cluster with a mesh and its proxies.</summary>
internal sealed class MeshWorld : IAsyncDisposable
{
    private readonly List<FakeProxy> _proxies = [];
    private MeshFeed _feed = null!;

    public MeshFeed Feed => _feed;

    private MeshWorld(TestCluster cluster) => Cluster = cluster;

    public TestCluster Cluster { get; }

    public ConfigHub Hub { get; private set; } = new(epoch: 1);

    /// <param name="manifests">What is there when the mesh starts.</param>
    public static async Task<MeshWorld> StartAsync(string manifests = "")
    {
        var world = new MeshWorld(await TestCluster.StartAsync(hasMeshKinds: true));
        await world.ApplyAsync(manifests);
        world._feed = await world.Cluster.StartMeshAsync(world.Hub);
        return world;
    }

    /// <summary>The server's part ends and another begins, which knows no proxy yet.</summary>
    public async Task RestartAsync()
    {
        await _feed.DisposeAsync();
        await Cluster.RestartControllersAsync();
        Hub = new(epoch: Hub.Epoch + 1);
        _feed = await Cluster.StartMeshAsync(Hub);
    }

    public FakeProxy Proxy(string name = "p1", bool answers = true)
    {
        var proxy = new FakeProxy(Hub, name, answers);
        _proxies.Add(proxy);
        return proxy;
    }

    public async Task ApplyAsync(string manifests)
    {
        foreach (var tree in YamlTree.ParseAll(manifests).Select(document => document.Root).OfType<JsonObject>())
            await Client(tree).ApplyAsync(Key(tree), tree, "tester", CancellationToken.None, new WriteOptions { Force = true });
    }

    public Task DeleteAsync(string kind, string name, string @namespace = "default") => Raw(kind).DeleteIfThereAsync(new(@namespace, name), CancellationToken.None);

    public async Task<JsonObject> GetAsync(string kind, string name, string @namespace = "default", string? version = null) => await Raw(kind, version).GetAsync(new(@namespace, name), CancellationToken.None);

    public Task SetStatusAsync(string kind, string name, string status) => Raw(kind).PatchStatusAsync(
        new("default", name), Patch.Merge(new JsonObject { ["status"] = JsonNode.Parse(status) }), CancellationToken.None);

    /// <summary>`True Programmed 1`: status, reason and generation of the condition; empty without one.</summary>
    public async Task<string> ConditionAsync(string kind, string name, string type, string? version = null) =>
        Condition(await GetAsync(kind, name, version: version), type) is { } condition ? $"{condition["status"]} {condition["reason"]} {condition["observedGeneration"]}" : "";

    public static JsonObject? Condition(JsonObject tree, string type) =>
        (tree["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(condition => (string?)condition["type"] == type);

    public async Task BecomesAsync(string kind, string name, string type, string expected, string? version = null)
    {
        var last = "";
        await Eventually.TrueAsync(async () => (last = await ConditionAsync(kind, name, type, version)) == expected, $"{kind} {name} becomes {type}: {expected}", () => last);
    }

    private ResourceClient<JsonObject> Client(JsonObject tree) => Cluster.Client.Raw(Resource((string)tree["kind"]!, (string)tree["apiVersion"]!));

    private ResourceClient<JsonObject> Raw(string kind, string? version = null)
    {
        var resource = Resource(kind, null);
        return Cluster.Client.Raw(version is null ? resource : resource with { Resource = resource.Resource with { Version = version } });
    }

    private static ApiResource Resource(string kind, string? apiVersion)
    {
        var info = BuiltInKinds.All().Concat(Api.Istio.MeshKinds.All().Select(installed => installed.Kind)).First(info => info.Kind.Kind == kind && (apiVersion is null || apiVersion.StartsWith(info.Kind.Group, StringComparison.Ordinal)));
        var version = apiVersion is null ? info.Resource.Version : GroupVersionKind.ParseApiVersion(apiVersion)!.Value.Version;
        return new(info.Resource with { Version = version }, kind, info.Namespaced);
    }

    private static ObjectKey Key(JsonObject tree)
    {
        var isNamespaced = (string)tree["kind"]! is not ("ServiceMesh" or "Namespace" or "Node");
        return new(isNamespaced ? (string?)tree["metadata"]!["namespace"] ?? "default" : "", (string)tree["metadata"]!["name"]!);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        await _feed.DisposeAsync();
        await Cluster.DisposeAsync();
    }
}
