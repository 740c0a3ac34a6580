using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.ApiExtensions;
using Weft.Api.Autoscaling;
using Weft.Api.Core;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Usage;
using Weft.Client;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

/// <summary>An autoscaler of a custom kind over the real API server and its real access rules; the test is the workload's controller, its pods and the clock.</summary>
public sealed class AutoscalerClusterTests : IAsyncLifetime
{
    private static readonly ApiResource Shops = new(new GroupVersionResource("example.com", "v1", "shops"), "Shop", true);
    private static readonly ObjectKey Key = new("default", "shop");

    private readonly ManualTime _time = new();
    private readonly Usage _usage = new();
    private TestCluster _cluster = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(_time, objects => _usage.Of(objects));
        await _cluster.Client.Raw(ApiResources.Of<CustomResourceDefinition>()).CreateAsync(null, Json("""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"shops.example.com"},
             "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"shops","kind":"Shop"},"versions":[{"name":"v1","served":true,"storage":true,
              "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}},
              "subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas","labelSelectorPath":".status.selector"}}}]}}
            """), CancellationToken.None);
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await Raw.CreateAsync("default", Json("""{"apiVersion":"example.com/v1","kind":"Shop","metadata":{"name":"shop"},"spec":{"replicas":2}}"""), CancellationToken.None);
                return true;
            }
            catch (ApiStatusException early) when (early.IsNotFound)
            {
                return false;
            }
        });
        await Raw.PatchStatusAsync(Key, Patch.Merge(Json("""{"status":{"replicas":2,"selector":"app=shop"}}""")), CancellationToken.None);
        await Eventually.TrueAsync(async () => await _cluster.Client.For<ServiceAccount>().FindAsync(new ObjectKey("default", "default"), CancellationToken.None) is not null);
        foreach (var name in (string[])["shop-0", "shop-1"])
            await PodAsync(name);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private ResourceClient<JsonObject> Raw => _cluster.Client.Raw(Shops);

    [Fact]
    public async Task A_custom_kind_is_scaled_out_and_in_by_its_pods_CPU()
    {
        _usage.Milli = 100;
        await AutoscalerAsync("Shop");
        await Eventually.TrueAsync(async () => await ReplicasAsync() == 4);
        await Eventually.TrueAsync(async () => await ConditionAsync("ScalingActive") == "True ValidMetricFound");
        var status = (await HpaAsync()).Status;
        Assert.Equal((2, 4, 100), (status.CurrentReplicas, status.DesiredReplicas, status.CurrentMetrics[0].Resource!.Current.AverageUtilization));
        Assert.Equal("True SucceededRescale", await ConditionAsync("AbleToScale"));
        await Eventually.TrueAsync(async () => (await EventsAsync()).Any(told => told is { Reason: "SuccessfulRescale", Message: "New size: 4; reason: cpu resource utilization (percentage of request) above target" }));

        _usage.Milli = 10;
        await Eventually.TrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(15));
            return await ReplicasAsync() == 1;
        });
        Assert.Empty(_cluster.Complaints);
    }

    [Fact]
    public async Task What_is_missing_stands_in_conditions_and_comes_back()
    {
        await AutoscalerAsync("Nothing");
        await Eventually.TrueAsync(async () => await ConditionAsync("AbleToScale") == "False FailedGetScale");
        Assert.Equal("the HPA controller was unable to get the target's current scale: no matches for kind \"Nothing\" in version \"example.com/v1\"",
            (await HpaAsync()).Status.Conditions.Single(condition => condition.Type == "AbleToScale").Message);

        _usage.Milli = null;
        await _cluster.Client.For<HorizontalPodAutoscaler>().PatchAsync(Key, Patch.Merge(Json("""{"spec":{"scaleTargetRef":{"kind":"Shop"}}}""")), CancellationToken.None);
        await Eventually.TrueAsync(async () => await ConditionAsync("ScalingActive") == "False FailedGetResourceMetric");
        Assert.Equal("True SucceededGetScale", await ConditionAsync("AbleToScale"));

        _usage.Milli = 50;
        await Eventually.TrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(15));
            return await ConditionAsync("ScalingActive") == "True ValidMetricFound";
        });
        Assert.Equal(2, await ReplicasAsync());
        Assert.Empty(_cluster.Complaints);
    }

    [Fact]
    public async Task What_belongs_to_the_whole_cluster_is_no_target()
    {
        await AutoscalerAsync("Node", "v1");
        await Eventually.TrueAsync(async () => await ConditionAsync("AbleToScale") == "False FailedGetScale");
        Assert.EndsWith("nodes are of the whole cluster: an autoscaler scales what is in its own namespace",
            (await HpaAsync()).Status.Conditions.Single(condition => condition.Type == "AbleToScale").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_autoscalers_of_the_same_pods_scale_nothing_until_one_is_gone()
    {
        _usage.Milli = 50;
        await AutoscalerAsync("Shop");
        await Eventually.TrueAsync(async () => await ConditionAsync("ScalingActive") == "True ValidMetricFound");
        await AutoscalerAsync("Shop", name: "again");
        await Eventually.TrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(15));
            return await ConditionAsync("ScalingActive") == "False AmbiguousSelector" && await ConditionAsync("ScalingActive", "again") == "False AmbiguousSelector";
        });
        await Eventually.TrueAsync(async () => (await EventsAsync()).Any(told => told is
            { Reason: "AmbiguousSelector", Message: "pods by selector app=shop are controlled by multiple HPAs: [default/again default/shop]" }));

        _usage.Milli = 100;
        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(2, await ReplicasAsync());
        await _cluster.Client.For<HorizontalPodAutoscaler>().DeleteAsync(new ObjectKey("default", "again"), CancellationToken.None);
        await Eventually.TrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(15));
            return await ReplicasAsync() == 4 && await ConditionAsync("ScalingActive") == "True ValidMetricFound";
        });
        Assert.Empty(_cluster.Complaints);
    }

    private Task AutoscalerAsync(string kind, string apiVersion = "example.com/v1", string name = "shop") => _cluster.Client.Raw(ApiResources.Of<HorizontalPodAutoscaler>()).CreateAsync("default", Json($$$"""
        {"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"{{{name}}}"},"spec":{"scaleTargetRef":{"apiVersion":"{{{apiVersion}}}","kind":"{{{kind}}}","name":"shop"},
         "maxReplicas":10,"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50} } }],"behavior":{"scaleDown":{"stabilizationWindowSeconds":0} } } }
        """), CancellationToken.None);

    private async Task PodAsync(string name)
    {
        await _cluster.Client.Raw(ApiResources.Of<Pod>()).CreateAsync("default", Json($$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","labels":{"app":"shop"}},"spec":{"containers":[{"name":"main","image":"x","resources":{"requests":{"cpu":"100m"} } }]} }
            """), CancellationToken.None);
        var since = (ManualTime.Start - TimeSpan.FromHours(1)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        await _cluster.Client.For<Pod>().PatchStatusAsync(new ObjectKey("default", name), Patch.Merge(Json($$$"""
            {"status":{"phase":"Running","startTime":"{{{since}}}","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"{{{since}}}"}]}}
            """)), CancellationToken.None);
        // The controller's cache has what the server has.
        await Eventually.TrueAsync(() => Task.FromResult(_cluster.Controllers.Informers.Cache<Pod>().Find(new ObjectKey("default", name))?.Status.Phase == "Running"));
    }

    private async Task<int> ReplicasAsync() => (await Raw.GetAsync(Key, CancellationToken.None))["spec"]!["replicas"]!.GetValue<int>();

    private Task<HorizontalPodAutoscaler> HpaAsync(string name = "shop") => _cluster.Client.For<HorizontalPodAutoscaler>().GetAsync(new ObjectKey("default", name), CancellationToken.None);

    private async Task<string> ConditionAsync(string type, string name = "shop") =>
        (await HpaAsync(name)).Status.Conditions.FirstOrDefault(condition => condition.Type == type) is { } found ? $"{found.Status} {found.Reason}" : "absent";

    private async Task<IReadOnlyList<Event>> EventsAsync() => (await _cluster.Client.For<Event>().ListAsync("default", CancellationToken.None)).Items;

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    /// <summary>Every pod uses the same.</summary>
    private sealed class Usage
    {
        private int? _milli;

        /// <summary>Thousandths of a core; null: nothing is measured.</summary>
        public int? Milli
        {
            get => _milli;
            set => _milli = value;
        }

        public ILiveResource Of(StoredObjects objects) => new Source(this, objects);

        private sealed class Source(Usage usage, StoredObjects objects) : ILiveResource
        {
            public bool Serves(GroupVersionResource resource) => resource.Resource == "pods";

            public async ValueTask<IReadOnlyList<JsonObject>> ListAsync(GroupVersionResource resource, string ns, CancellationToken cancellationToken)
            {
                if (usage.Milli is not { } milli)
                    return [];
                var (pods, _) = await objects.ListAsync("", "pods", ns, cancellationToken);
                return [.. pods.Select(pod => Json($$$"""
                    {"apiVersion":"metrics.k8s.io/v1beta1","kind":"PodMetrics","metadata":{"name":"{{{pod["metadata"]!["name"]}}}","namespace":"{{{ns}}}","labels":{"app":"shop"}},
                     "timestamp":"2026-01-02T03:04:05Z","window":"10s","containers":[{"name":"main","usage":{"cpu":"{{{milli}}}m"}}]}
                    """))];
            }
        }
    }
}
