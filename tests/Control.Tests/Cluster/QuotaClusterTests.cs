using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Client;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

/// <summary>A quota, the server that keeps its count and the controller that makes the first one, under their own rights.</summary>
public sealed class QuotaClusterTests
{
    private static readonly ObjectKey Key = new("default", "q");

    [Fact]
    public async Task A_quota_counts_what_is_there_then_holds_a_workload_to_it_and_gives_room_back()
    {
        await using var cluster = await TestCluster.StartAsync();
        var maps = cluster.Client.For<ConfigMap>();
        await maps.CreateAsync("default", new ConfigMap { Metadata = new ObjectMeta { Name = "before" } }, default);

        await cluster.Client.For<ResourceQuota>().CreateAsync("default", new ResourceQuota
        {
            Metadata = new ObjectMeta { Name = "q" },
            Spec = new ResourceQuotaSpec { Hard = new Dictionary<string, Quantity> { ["pods"] = Quantity.FromUnits(2), ["count/configmaps"] = Quantity.FromUnits(9), ["count/replicasets.apps"] = Quantity.FromUnits(3) } },
        }, default);

        // The root certificate's map is there too.
        await UsedAsync(cluster, "count/configmaps=2 count/replicasets.apps=0 pods=0");
        await cluster.Client.For<ReplicaSet>().CreateAsync("default", new ReplicaSet
        {
            Metadata = new ObjectMeta { Name = "web" }, Spec = new ReplicaSetSpec { Replicas = 5, Selector = Make.Select(), Template = Make.Template() },
        }, default);
        await UsedAsync(cluster, "count/configmaps=2 count/replicasets.apps=1 pods=2");
        await Eventually.TrueAsync(async () => (await cluster.Client.For<ReplicaSet>().GetAsync(new ObjectKey("default", "web"), default)).Status.Conditions
            .Any(c => c is { Type: "ReplicaFailure", Status: "True" } && c.Message!.Contains("exceeded quota: q", StringComparison.Ordinal)), "the set says why it has not all its pods");

        // A larger quota is counted anew, and the set goes on.
        await cluster.Client.For<ResourceQuota>().PatchAsync(Key, Patch.Merge(new JsonObject { ["spec"] = new JsonObject { ["hard"] = new JsonObject { ["pods"] = "4", ["secrets"] = "5" } } }), default);
        await UsedAsync(cluster, "count/configmaps=2 count/replicasets.apps=1 pods=4 secrets=0");
        await maps.DeleteAsync(new ObjectKey("default", "before"), default);
        await UsedAsync(cluster, "count/configmaps=1 count/replicasets.apps=1 pods=4 secrets=0");
    }

    private static async Task UsedAsync(TestCluster cluster, string expected)
    {
        var last = "";
        try
        {
            await Eventually.TrueAsync(async () =>
            {
                var quota = await cluster.Client.For<ResourceQuota>().GetAsync(Key, default);
                last = string.Join(' ', quota.Status.Used.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => $"{u.Key}={u.Value}"));
                return last == expected;
            }, expected);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"used was '{last}', not '{expected}'\n{string.Join('\n', cluster.Complaints)}");
        }
    }
}
