using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Workloads;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

public sealed class DeploymentClusterTests : IAsyncLifetime
{
    private static readonly ObjectKey Shop = new("default", "shop");
    private TestCluster _cluster = null!;
    private FakeNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync();
        _node = await FakeNode.StartAsync(_cluster);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    private ResourceClient<Deployment> Deployments => _cluster.Client.For<Deployment>();

    private Task CreateAsync(int replicas = 3, string image = "shop:1") =>
        Deployments.CreateAsync("default", Make.Deployment(replicas, image) with { Metadata = new ObjectMeta { Name = "shop" } }, CancellationToken.None);

    private Task PatchAsync(string json) => Deployments.PatchAsync(Shop, Patch.Strategic((JsonObject)JsonNode.Parse(json)!), CancellationToken.None);

    private Task SetImageAsync(string image) =>
        PatchAsync("""{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"IMAGE"}]}}}}""".Replace("IMAGE", image, StringComparison.Ordinal));

    // As `kubectl rollout status` judges.
    private Task RolledOutAsync(string revision) => Eventually.TrueAsync(
        async () =>
        {
            var deployment = await Deployments.GetAsync(Shop, CancellationToken.None);
            return deployment.Status.ObservedGeneration >= deployment.Metadata.Generation
                && deployment.Status.UpdatedReplicas == deployment.Spec.Replicas
                && deployment.Status.Replicas == deployment.Spec.Replicas
                && deployment.Status.AvailableReplicas == deployment.Spec.Replicas
                && deployment.Annotation("deployment.kubernetes.io/revision") == revision
                && deployment.Status.Conditions.Any(condition => condition is { Type: "Progressing", Reason: "NewReplicaSetAvailable" });
        },
        what: "revision " + revision + " is rolled out", state: () => string.Join('\n', _cluster.Complaints));

    private async Task<IReadOnlyList<Pod>> PodsAsync() => (await _cluster.Client.For<Pod>().ListAsync("default", CancellationToken.None)).Items;

    [Fact]
    public async Task A_deployment_becomes_a_set_pods_and_events_and_updates_itself()
    {
        await CreateAsync();
        await RolledOutAsync("1");
        var pods = await PodsAsync();
        Assert.Equal(3, pods.Count);
        Assert.All(pods, pod => Assert.Matches("^shop-[a-z0-9]+-[a-z0-9]{5}$", pod.Metadata.Name));

        await SetImageAsync("shop:2");
        await RolledOutAsync("2");
        Assert.All((await PodsAsync()).Where(pod => pod.IsActive()), pod => Assert.Equal("shop:2", pod.Spec.Containers[0].Image));

        // kubectl rollout undo: the template of the set with the earlier number.
        await SetImageAsync("shop:1");
        await RolledOutAsync("3");
        var sets = (await _cluster.Client.For<ReplicaSet>().ListAsync("default", CancellationToken.None)).Items;
        Assert.Equal(["2", "3"], sets.Select(set => set.Annotation("deployment.kubernetes.io/revision")).Order());

        await PatchAsync("""{"spec":{"replicas":7}}""");
        await RolledOutAsync("3");
        Assert.Equal(7, (await PodsAsync()).Count(pod => pod.IsActive()));
        await PatchAsync("""{"spec":{"replicas":0}}""");
        await Eventually.TrueAsync(async () => (await PodsAsync()).Count == 0);

        await Eventually.TrueAsync(async () =>
        {
            var events = (await _cluster.Client.For<Event>().ListAsync("default", CancellationToken.None)).Items;
            return events.Any(e => e is { Reason: "ScalingReplicaSet", InvolvedObject.Kind: "Deployment", Source.Component: "deployment-controller" })
                && events.Count(e => e is { Reason: "SuccessfulCreate", InvolvedObject.Kind: "ReplicaSet" }) >= 3;
        });
        Assert.Empty(_cluster.Complaints);
    }

    [Fact]
    public async Task A_pod_that_is_deleted_is_replaced_and_never_are_there_more_than_wanted()
    {
        await CreateAsync(5);
        await RolledOutAsync("1");
        for (var round = 0; round < 5; round++)
        {
            var victim = (await PodsAsync()).First(pod => pod.IsActive());
            await _cluster.Client.For<Pod>().DeleteIfThereAsync(victim.Key(), CancellationToken.None);
            await Eventually.TrueAsync(async () =>
            {
                var active = (await PodsAsync()).Where(pod => pod.IsActive()).ToList();
                Assert.True(active.Count <= 5, $"{active.Count} pods");
                return active.Count == 5 && active.All(pod => pod.IsReady() && pod.Metadata.Uid != victim.Metadata.Uid);
            });
        }

        var events = (await _cluster.Client.For<Event>().ListAsync("default", CancellationToken.None)).Items;
        Assert.DoesNotContain(events, e => e.Reason == "SuccessfulDelete"); // none too many was ever made
    }

    [Fact]
    public async Task A_broken_version_leaves_the_working_one_alone_and_a_pause_holds_changes_back()
    {
        await CreateAsync(4);
        await RolledOutAsync("1");
        await SetImageAsync("shop:broken");
        await Eventually.TrueAsync(async () => (await PodsAsync()).Count(pod => pod.Spec.Containers[0].Image == "shop:broken" && pod.Status.Phase == "Running") >= 1);
        Assert.True((await PodsAsync()).Count(pod => pod.IsActive() && pod.IsReady()) >= 3); // one of four may be missing

        await PatchAsync("""{"spec":{"paused":true}}""");
        await SetImageAsync("shop:3");
        await Eventually.TrueAsync(async () =>
            (await Deployments.GetAsync(Shop, CancellationToken.None)).Status.Conditions.Any(condition => condition is { Type: "Progressing", Reason: "DeploymentPaused" }));
        Assert.DoesNotContain(await PodsAsync(), pod => pod.Spec.Containers[0].Image == "shop:3");
        await PatchAsync("""{"spec":{"paused":null}}""");
        await RolledOutAsync("3");
    }

    [Fact]
    public async Task A_pod_whose_labels_change_is_released_and_one_that_fits_is_adopted()
    {
        await CreateAsync(2);
        await RolledOutAsync("1");
        var pods = _cluster.Client.For<Pod>();
        var freed = (await PodsAsync())[0];
        await pods.PatchAsync(freed.Key(), Patch.Merge((JsonObject)JsonNode.Parse("""{"metadata":{"labels":{"app":"debug"}}}""")!), CancellationToken.None);
        await Eventually.TrueAsync(async () => (await pods.GetAsync(freed.Key(), CancellationToken.None)).Metadata.OwnerReferences.Count == 0);
        await Eventually.TrueAsync(async () => (await PodsAsync()).Count == 3);
        await RolledOutAsync("1");

        await pods.PatchAsync(freed.Key(), Patch.Merge((JsonObject)JsonNode.Parse("""{"metadata":{"labels":{"app":"shop"}}}""")!), CancellationToken.None);
        await Eventually.TrueAsync(async () => (await PodsAsync()).Count == 2); // adopted, so one is too many
        Assert.All(await PodsAsync(), pod => Assert.Single(pod.Metadata.OwnerReferences));
    }

    [Fact]
    public async Task A_service_follows_its_pods()
    {
        await _cluster.Client.For<Service>().CreateAsync("default", new Service
        {
            Metadata = new ObjectMeta { Name = "shop" },
            Spec = new ServiceSpec { Selector = new Dictionary<string, string> { ["app"] = "shop" }, Ports = [new ServicePort { Port = 80, TargetPort = 8080 }] },
        }, CancellationToken.None);
        await CreateAsync(3);
        await RolledOutAsync("1");

        var slices = _cluster.Client.For<EndpointSlice>();
        var endpoints = _cluster.Client.For<Endpoints>();
        await Eventually.TrueAsync(async () =>
        {
            var slice = (await slices.ListAsync("default", CancellationToken.None, new ListOptions { LabelSelector = "kubernetes.io/service-name=shop" })).Items;
            var found = await endpoints.FindAsync(Shop, CancellationToken.None);
            return slice.Count == 1 && slice[0].Endpoints.Count(endpoint => endpoint.Conditions?.Ready == true) == 3 && slice[0].Ports.Single().Port == 8080
                && found?.Subsets.SingleOrDefault()?.Addresses.Count == 3;
        }, state: () => string.Join('\n', _cluster.Complaints));

        await PatchAsync("""{"spec":{"replicas":0}}""");
        await Eventually.TrueAsync(async () =>
        {
            var slice = (await slices.ListAsync("default", CancellationToken.None, new ListOptions { LabelSelector = "kubernetes.io/service-name=shop" })).Items;
            return slice.Count == 1 && slice[0].Endpoints.Count == 0 && (await endpoints.GetAsync(Shop, CancellationToken.None)).Subsets.Count == 0;
        });
        await _cluster.Client.For<Service>().DeleteAsync(Shop, CancellationToken.None);
        await Eventually.TrueAsync(async () =>
            await endpoints.FindAsync(Shop, CancellationToken.None) is null
            && (await slices.ListAsync("default", CancellationToken.None, new ListOptions { LabelSelector = "kubernetes.io/service-name=shop" })).Items.Count == 0);
        Assert.Empty(_cluster.Complaints);
    }
}
