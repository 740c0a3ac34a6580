using System.Net;
using Weft.Balancing;
using Weft.Balancing.Health;
using Weft.Balancing.Localities;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Tests.Upstream;

public sealed class ClusterTests
{
    private static readonly ClusterConfig Web = new() { Name = "web", LoadBalancer = new RoundRobinBalancer(), Outliers = OutlierSettings.Default with { MaxEjectionPercent = 50 } };
    private Rng _rng = new(3);

    [Fact]
    public void An_endpoint_that_fails_is_out_and_comes_back_when_its_time_is_over()
    {
        var cluster = Start(Web, Ends(1, 2, 3));
        var bad = cluster.Table().Endpoints[1];

        for (var i = 0; i < 5; i++)
            cluster.Report(bad, AttemptOutcome.ServerError, loop: i % 2);
        Assert.True(cluster.HasFailures);
        cluster.Maintain(Seconds(1));

        Assert.DoesNotContain(bad.Key, Picks(cluster, 300));
        Assert.Equal(EjectionReason.Consecutive5xx, cluster.Describe()[1].Reason);
        cluster.Maintain(Seconds(40));
        Assert.Contains(bad.Key, Picks(cluster, 300));
    }

    [Fact]
    public void A_success_between_failures_ends_the_row_whichever_loop_saw_it()
    {
        var cluster = Start(Web, Ends(1, 2, 3));
        var one = cluster.Table().Endpoints[0];
        for (var i = 0; i < 40; i++)
        {
            cluster.Report(one, AttemptOutcome.ServerError, 0);
            if (i % 4 == 3)
                cluster.Report(one, AttemptOutcome.Success, 1);
            if (i % 3 == 0)
                cluster.Maintain(Seconds(1));
        }

        Assert.Equal(EjectionReason.None, cluster.Describe()[0].Reason);
    }

    [Fact]
    public void What_is_known_of_an_endpoint_survives_a_change_around_it()
    {
        var cluster = Start(Web, Ends(1, 2, 3));
        var bad = cluster.Table().Endpoints[2];
        bad.State.Started();
        for (var i = 0; i < 5; i++)
            cluster.Report(bad, AttemptOutcome.LocalError, 0);
        cluster.Maintain(Seconds(1));

        cluster.Configure(Web with { ConnectTimeout = TimeSpan.FromSeconds(1) }, default, Ends(3, 4, 5), Seconds(2));

        Assert.Same(bad, cluster.Describe()[0].Endpoint);
        Assert.Equal(1, bad.State.Active);
        Assert.Equal(EndpointHealth.Unhealthy, cluster.Describe()[0].Health);
        Assert.Equal(["10.0.0.4:80", "10.0.0.5:80"], Picks(cluster, 100).Distinct().Order());
    }

    [Fact]
    public void Active_checks_and_draining_take_out_and_panic_brings_all_back()
    {
        var cluster = Start(Web, [.. Ends(1, 2, 3), (new EndpointConfig { Address = "10.0.0.9", Port = 80, Draining = true }, new IPEndPoint(IPAddress.Parse("10.0.0.9"), 80))]);
        cluster.SetChecked("10.0.0.1:80", false, Seconds(1));
        Assert.Equal(["10.0.0.2:80", "10.0.0.3:80"], Picks(cluster, 100).Distinct().Order());

        cluster.SetChecked("10.0.0.2:80", false, Seconds(1));
        cluster.SetChecked("10.0.0.3:80", false, Seconds(1));
        Assert.Equal(["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"], Picks(cluster, 100).Distinct().Order());
    }

    [Fact]
    public void Subsets_choose_by_labels_and_an_unknown_one_is_empty()
    {
        var config = Web with
        {
            Subsets = [new SubsetConfig { Name = "v2", Labels = Labels("version", "v2") }],
        };
        var cluster = Start(config, [.. Ends(1), (new EndpointConfig { Address = "10.0.0.2", Port = 80, Labels = Labels("version", "v2") }, new IPEndPoint(IPAddress.Parse("10.0.0.2"), 80))]);

        Assert.Equal("10.0.0.2:80", Assert.Single(cluster.Table("v2").Endpoints.ToArray()).Key);
        Assert.Null(cluster.Table("v3").Pick(new PickRequest(), ref _rng, out _));
        Assert.Equal(2, cluster.Table().Endpoints.Length);
    }

    [Fact]
    public void Near_endpoints_are_preferred_and_far_ones_take_over()
    {
        var near = new Locality("eu", "a", "");
        var config = Web with { Locality = new LocalityPolicy { Failover = true } };
        (EndpointConfig, IPEndPoint)[] ends =
        [
            (new EndpointConfig { Locality = near }, new IPEndPoint(IPAddress.Parse("10.0.0.1"), 80)),
            (new EndpointConfig { Locality = new Locality("eu", "b", "") }, new IPEndPoint(IPAddress.Parse("10.0.0.2"), 80)),
        ];
        var cluster = new Cluster(config, near, loops: 2, start: 0);
        cluster.Configure(config, near, ends, Seconds(0));
        Assert.Equal(["10.0.0.1:80"], Picks(cluster, 100).Distinct());

        cluster.SetChecked("10.0.0.1:80", false, Seconds(1));
        Assert.Equal(["10.0.0.2:80"], Picks(cluster, 100).Distinct());
    }

    [Fact]
    public void Requests_are_divided_among_places_for_callers_of_one_place()
    {
        var here = new Locality("eu", "a", "");
        var config = Web with { Locality = new LocalityPolicy { Distribute = [new LocalityWeights("eu/*", [new LocalityWeight("eu/a", 80), new LocalityWeight("eu/b", 20)])] } };
        (EndpointConfig, IPEndPoint)[] ends =
        [
            (new EndpointConfig { Locality = here }, new IPEndPoint(IPAddress.Parse("10.0.0.1"), 80)),
            (new EndpointConfig { Locality = new Locality("eu", "b", "") }, new IPEndPoint(IPAddress.Parse("10.0.0.2"), 80)),
            (new EndpointConfig { Locality = new Locality("us", "a", "") }, new IPEndPoint(IPAddress.Parse("10.0.0.3"), 80)),
        ];
        var cluster = new Cluster(config, here, loops: 2, start: 0);
        cluster.Configure(config, here, ends, Seconds(0));
        var picks = Picks(cluster, 2000);

        Assert.InRange(picks.Count(key => key == "10.0.0.1:80"), 1500, 1700);
        Assert.DoesNotContain("10.0.0.3:80", picks);
    }

    [Fact]
    public void The_logistic_rule_takes_weight_by_degrees()
    {
        var config = Web with { Outliers = null, HealthWeight = HealthWeight.Default, LoadBalancer = new RandomBalancer() };
        var cluster = Start(config, Ends(1, 2));
        var half = cluster.Table().Endpoints[0];
        for (var i = 0; i < 100; i++)
        {
            cluster.Report(half, i % 10 < 7 ? AttemptOutcome.Success : AttemptOutcome.ServerError, 0);
            cluster.Report(cluster.Table().Endpoints[1], AttemptOutcome.Success, 1);
        }

        cluster.Maintain(Seconds(1.1));
        cluster.Maintain(Seconds(1.2));

        // Seven of ten succeed, which is theta: R = 0.5, so a third of the requests.
        Assert.InRange(Picks(cluster, 3000).Count(key => key == half.Key), 850, 1150);
    }

    [Fact]
    public void Round_robin_keeps_its_turn_while_nothing_changes()
    {
        var cluster = Start(Web, Ends(1, 2, 3));
        var picks = new List<string>();
        for (var i = 0; i < 9; i++)
        {
            cluster.Maintain(Seconds(1 + (i * 20)));
            picks.AddRange(Picks(cluster, 1));
        }

        Assert.Equal(3, picks.Take(3).Distinct().Count());
        Assert.Equal(picks.Take(3), picks.Skip(3).Take(3));
    }

    [Fact]
    public void Choosing_and_reporting_success_allocates_nothing()
    {
        var cluster = Start(Web, Ends(1, 2, 3));
        Picks(cluster, 10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            cluster.Report(cluster.Table().Pick(new PickRequest((ulong)i), ref _rng, out _)!, AttemptOutcome.Success, 0);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Limits_hold_and_retries_are_a_share_of_what_is_in_flight()
    {
        var limits = new ClusterLimits(new PoolLimits { MaxRequests = 100, MaxConnections = 2 }, new RetryBudget(0.2, 3));
        Assert.True(limits.TryConnect() && limits.TryConnect());
        Assert.False(limits.TryConnect());
        limits.Disconnected();
        Assert.True(limits.TryConnect());
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => limits.TryRetry()));
        Assert.Equal(100, Enumerable.Range(0, 200).Count(_ => limits.TryRequest()));
        Assert.Equal(17, Enumerable.Range(0, 100).Count(_ => limits.TryRetry()));
        limits.RequestEnded();
        Assert.True(limits.TryRequest());
    }

    private static Cluster Start(ClusterConfig config, IReadOnlyList<(EndpointConfig, IPEndPoint)> endpoints)
    {
        var cluster = new Cluster(config, default, loops: 2, start: 0);
        cluster.Configure(config, default, endpoints, Seconds(0));
        return cluster;
    }

    private static List<(EndpointConfig, IPEndPoint)> Ends(params int[] last) =>
        [.. last.Select(n => (new EndpointConfig { Address = $"10.0.0.{n}", Port = 80 }, new IPEndPoint(IPAddress.Parse($"10.0.0.{n}"), 80)))];

    private static ValueMap Labels(string name, string value) => new([new(name, value)]);

    private static long Seconds(double seconds) => TimeSpan.FromSeconds(1000 + seconds).Ticks;

    private List<string> Picks(Cluster cluster, int count) => [.. Enumerable.Range(0, count).Select(_ => cluster.Table().Pick(new PickRequest(), ref _rng, out var _)!.Key)];
}
