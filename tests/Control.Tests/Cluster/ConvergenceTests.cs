using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Workloads;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

public class ConvergenceTests
{
    private static readonly ObjectKey Shop = new("default", "shop");

    private static Task CreateAsync(TestCluster cluster, int replicas) =>
        cluster.Client.For<Deployment>().CreateAsync("default", Make.Deployment(replicas) with { Metadata = new ObjectMeta { Name = "shop" } }, CancellationToken.None);

    [Fact]
    public async Task A_settled_cluster_is_left_alone_even_by_a_full_resync()
    {
        var time = new ManualTime();
        await using var cluster = await TestCluster.StartAsync(time);
        await CreateAsync(cluster, replicas: 0);
        await cluster.Client.For<Service>().CreateAsync("default", new Service
        {
            Metadata = new ObjectMeta { Name = "shop" },
            Spec = new ServiceSpec { Selector = new Dictionary<string, string> { ["app"] = "shop" }, Ports = [new ServicePort { Port = 80 }] },
        }, CancellationToken.None);
        await Eventually.TrueAsync(async () =>
            await cluster.Client.For<Endpoints>().FindAsync(Shop, CancellationToken.None) is not null
            && (await cluster.Client.For<Deployment>().GetAsync(Shop, CancellationToken.None)).Status.Conditions.Any(condition => condition.Reason == "NewReplicaSetAvailable"));
        await SettleAsync(cluster);

        var revision = cluster.Revision;
        var done = cluster.Controllers.Health.Sum(health => health.Done);
        time.Advance(TimeSpan.FromMinutes(31)); // every controller resyncs within 15 to 30
        await Eventually.TrueAsync(() => cluster.Controllers.Health.Sum(health => health.Done) > done);
        await SettleAsync(cluster);
        Assert.Equal(revision, cluster.Revision);
    }

    // Quiet: nothing waits, nothing is worked on, and nothing was written between two looks.
    private static async Task SettleAsync(TestCluster cluster)
    {
        var last = -1L;
        await Eventually.TrueAsync(() =>
        {
            var now = cluster.Revision + (cluster.Controllers.Health.Sum(health => health.Done) << 20);
            var quiet = now == last && cluster.Controllers.Health.All(health => health is { Waiting: 0, InFlight: 0 });
            last = now;
            return quiet;
        });
    }

    [Fact]
    public async Task Controllers_that_are_stopped_at_any_moment_make_no_pod_too_many_and_lose_none()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var node = await FakeNode.StartAsync(cluster);
        await CreateAsync(cluster, replicas: 10);
        for (var round = 1; round <= 6; round++)
        {
            var image = $"shop:{round}";
            var patch = System.Text.Json.Nodes.JsonNode.Parse("""{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"IMAGE"}]}}}}""".Replace("IMAGE", image, StringComparison.Ordinal))!;
            await cluster.Client.For<Deployment>().PatchAsync(Shop, Patch.Strategic(patch.AsObject()), CancellationToken.None);
            await cluster.RestartControllersAsync();
            await CheckAsync();
        }

        await Eventually.TrueAsync(async () =>
        {
            await CheckAsync();
            var active = await ActiveAsync();
            return active.Count == 10 && active.All(pod => pod.IsReady() && pod.Spec.Containers[0].Image == "shop:6");
        }, state: () => string.Join('\n', cluster.Complaints));

        await cluster.Client.For<Deployment>().DeleteAsync(Shop, CancellationToken.None, new Deletion { Propagation = PropagationPolicy.Background });
        await cluster.RestartControllersAsync();
        await Eventually.TrueAsync(async () =>
            (await cluster.Client.For<Pod>().ListAsync("default", CancellationToken.None)).Items.Count == 0
            && (await cluster.Client.For<ReplicaSet>().ListAsync("default", CancellationToken.None)).Items.Count == 0);

        // A quarter more than ten, rounded up. (Pods themselves may for a moment be more: a set that was made smaller still has to delete.)
        async Task CheckAsync()
        {
            var sets = (await cluster.Client.For<ReplicaSet>().ListAsync("default", CancellationToken.None)).Items;
            Assert.True(sets.Sum(set => set.Spec.Replicas) <= 13, string.Join(' ', sets.Select(set => $"{set.Metadata.Name}={set.Spec.Replicas}")));
        }

        async Task<List<Pod>> ActiveAsync() => [.. (await cluster.Client.For<Pod>().ListAsync("default", CancellationToken.None)).Items.Where(pod => pod.IsActive())];
    }
}
