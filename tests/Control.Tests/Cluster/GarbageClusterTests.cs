using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

public sealed class GarbageClusterTests : IAsyncLifetime
{
    private static readonly ObjectKey Shop = new("default", "shop");
    private TestCluster _cluster = null!;
    private FakeNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync();
        _node = await FakeNode.StartAsync(_cluster);
        await _cluster.Client.For<Deployment>().CreateAsync("default", Make.Deployment(3) with { Metadata = new ObjectMeta { Name = "shop" } }, CancellationToken.None);
        await Eventually.TrueAsync(async () => (await PodsAsync()).Count == 3);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    private async Task<IReadOnlyList<Pod>> PodsAsync() => (await _cluster.Client.For<Pod>().ListAsync("default", CancellationToken.None)).Items;

    private async Task<IReadOnlyList<ReplicaSet>> SetsAsync() => (await _cluster.Client.For<ReplicaSet>().ListAsync("default", CancellationToken.None)).Items;

    private Task DeleteAsync(PropagationPolicy propagation) =>
        _cluster.Client.For<Deployment>().DeleteAsync(Shop, CancellationToken.None, new Deletion { Propagation = propagation });

    private async Task<bool> IsGoneAsync() => await _cluster.Client.For<Deployment>().FindAsync(Shop, CancellationToken.None) is null;

    [Fact]
    public async Task In_the_background_the_owner_goes_first_and_everything_below_follows()
    {
        await DeleteAsync(PropagationPolicy.Background);
        Assert.True(await IsGoneAsync());
        await Eventually.TrueAsync(async () => (await SetsAsync()).Count == 0 && (await PodsAsync()).Count == 0, state: () => string.Join('\n', _cluster.Complaints));
        Assert.Empty(_cluster.Complaints);
    }

    [Fact]
    public async Task In_the_foreground_the_owner_goes_last()
    {
        // A finalizer holds one pod: the whole chain above must wait for it.
        var held = (await PodsAsync())[0];
        await PatchFinalizersAsync(held, ["example.com/hold"]);
        await DeleteAsync(PropagationPolicy.Foreground);

        await Eventually.TrueAsync(async () => (await PodsAsync()).Count == 1);
        Assert.Equal("foregroundDeletion", Assert.Single((await _cluster.Client.For<Deployment>().GetAsync(Shop, CancellationToken.None)).Metadata.Finalizers));
        Assert.Single(await SetsAsync());

        await PatchFinalizersAsync(held, []);
        await Eventually.TrueAsync(async () => await IsGoneAsync() && (await SetsAsync()).Count == 0 && (await PodsAsync()).Count == 0);
    }

    [Fact]
    public async Task Orphans_stay_and_lose_the_reference()
    {
        await DeleteAsync(PropagationPolicy.Orphan);
        await Eventually.TrueAsync(IsGoneAsync);
        var set = Assert.Single(await SetsAsync());
        Assert.Empty(set.Metadata.OwnerReferences);
        Assert.Equal(3, (await PodsAsync()).Count(pod => pod.Controller()?.Uid == set.Metadata.Uid));
        Assert.Empty(_cluster.Complaints);
    }

    [Fact]
    public async Task An_object_whose_owner_never_was_goes_and_one_with_another_owner_only_loses_the_reference()
    {
        var keeper = await CreateMapAsync("default", "keeper");
        await CreateMapAsync("default", "kept", Owner("keeper", keeper.Metadata.Uid!), Owner("ghost", "no-such-uid"));
        await CreateMapAsync("default", "lost", Owner("ghost", "no-such-uid"));

        await Eventually.TrueAsync(async () => await FindMapAsync("default", "lost") is null);
        await Eventually.TrueAsync(async () => (await FindMapAsync("default", "kept"))!.Metadata.OwnerReferences.Count == 1);
    }

    [Fact]
    public async Task A_reference_across_namespaces_neither_holds_up_its_owner_nor_is_anything_deleted_elsewhere()
    {
        await _cluster.Client.For<Namespace>().CreateAsync(null, new Namespace { Metadata = new ObjectMeta { Name = "other" } }, CancellationToken.None);
        var owner = await CreateMapAsync("default", "owner");
        var forged = Owner("owner", owner.Metadata.Uid!) with { BlockOwnerDeletion = true };
        await CreateMapAsync("other", "victim");
        await CreateMapAsync("other", "forger", forged);

        await _cluster.Client.For<ConfigMap>().DeleteAsync(new ObjectKey("default", "owner"), CancellationToken.None, new Deletion { Propagation = PropagationPolicy.Foreground });
        await Eventually.TrueAsync(async () => await FindMapAsync("default", "owner") is null);
        await Eventually.TrueAsync(async () => await FindMapAsync("other", "forger") is null); // there is no such owner where it lives
        Assert.NotNull(await FindMapAsync("other", "victim"));
    }

    [Fact]
    public async Task Custom_objects_own_and_are_owned_as_any_other()
    {
        await DefineWidgetsAsync();
        var widgets = _cluster.Client.Raw(new ApiResource(new GroupVersionResource("example.com", "v1", "widgets"), "Widget", true));
        var owner = await Eventually.ValueAsync(async () =>
        {
            try
            {
                return await widgets.CreateAsync("default", Widget("owner"), CancellationToken.None);
            }
            catch (ApiStatusException early) when (early.IsNotFound)
            {
                return null; // not served yet
            }
        });
        var uid = owner["metadata"]!["uid"]!.GetValue<string>();
        var child = Widget("child");
        child["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject { ["apiVersion"] = "example.com/v1", ["kind"] = "Widget", ["name"] = "owner", ["uid"] = uid });
        await widgets.CreateAsync("default", child, CancellationToken.None);
        await CreateMapAsync("default", "built-in", new OwnerReference { ApiVersion = "example.com/v1", Kind = "Widget", Name = "owner", Uid = uid });

        await widgets.DeleteAsync(new ObjectKey("default", "owner"), CancellationToken.None);
        await Eventually.TrueAsync(async () =>
            await widgets.FindAsync(new ObjectKey("default", "child"), CancellationToken.None) is null && await FindMapAsync("default", "built-in") is null,
            state: () => string.Join('\n', _cluster.Complaints));
    }

    private static JsonObject Widget(string name) => new() { ["apiVersion"] = "example.com/v1", ["kind"] = "Widget", ["metadata"] = new JsonObject { ["name"] = name } };

    private Task DefineWidgetsAsync() => _cluster.Client.Raw(ApiResources.Of<Api.ApiExtensions.CustomResourceDefinition>()).CreateAsync(null, (JsonObject)JsonNode.Parse("""
        {
          "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "widgets.example.com" },
          "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "plural": "widgets", "kind": "Widget" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }]
          }
        }
        """)!, CancellationToken.None);

    private static OwnerReference Owner(string name, string uid) => new() { ApiVersion = "v1", Kind = "ConfigMap", Name = name, Uid = uid };

    private Task<ConfigMap> CreateMapAsync(string ns, string name, params OwnerReference[] owners) =>
        _cluster.Client.For<ConfigMap>().CreateAsync(ns, new ConfigMap { Metadata = new ObjectMeta { Name = name, OwnerReferences = owners } }, CancellationToken.None);

    private Task<ConfigMap?> FindMapAsync(string ns, string name) => _cluster.Client.For<ConfigMap>().FindAsync(new ObjectKey(ns, name), CancellationToken.None);

    private Task PatchFinalizersAsync(Pod pod, string[] finalizers) => _cluster.Client.For<Pod>().PatchAsync(
        pod.Key(),
        Patch.Merge(new JsonObject
        {
            ["metadata"] = new JsonObject { ["finalizers"] = new JsonArray([.. finalizers.Select(name => (JsonNode)name)]) },
        }),
        CancellationToken.None);
}
