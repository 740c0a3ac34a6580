using FsCheck;
using FsCheck.Fluent;
using Weft.Balancing.Algorithms;
using Weft.Balancing.Localities;

namespace Weft.Balancing.Tests;

public class LocalityTests
{
    private static readonly Gen<(int Healthy, int Total)> Level =
        from total in Gen.Choose(0, 20)
        from healthy in Gen.Choose(0, total)
        select (healthy, total);

    [Theory]
    [InlineData(100, 100, 100, 0)]
    [InlineData(72, 100, 100, 0)]   // 140 % of 72 is still whole
    [InlineData(50, 100, 70, 30)]
    [InlineData(25, 100, 35, 65)]
    [InlineData(0, 100, 0, 100)]
    public void What_a_level_cannot_bear_goes_to_the_next(int healthy, int total, int first, int second)
    {
        var shares = PriorityLoad.Plan([(healthy, total), (100, 100)]);
        Assert.Equal([first, second], shares.Select(s => s.Percent));
        Assert.DoesNotContain(shares, s => s.Panic);
    }

    [Fact]
    public void When_all_levels_together_cannot_bear_it_the_sick_ones_panic()
    {
        var shares = PriorityLoad.Plan([(1, 10), (2, 10)]);
        Assert.All(shares, s => Assert.True(s.Panic));
        Assert.Equal(100, shares.Sum(s => s.Percent));
        Assert.Equal([100, 0], PriorityLoad.Plan([(0, 5), (0, 0)]).Select(s => s.Percent));
        Assert.Equal([0], PriorityLoad.Plan([(0, 5)], panicThreshold: 0).Select(s => s.Percent));
    }

    [Fact]
    public void Shares_are_whole_and_more_health_never_means_fewer_requests() =>
        Prop.ForAll(Level.ListOf().Where(l => l.Count is > 0 and < 6).ToArbitrary(), levels =>
        {
            var shares = PriorityLoad.Plan([.. levels]);
            if (levels.All(l => l.Total == 0))
                return shares.All(s => s.Percent == 0);
            if (shares.Sum(s => s.Percent) != 100)
                return false;
            var (healthy, total) = levels[0];
            if (healthy == total || levels.All(l => l.Healthy == 0))
                return true;
            var better = PriorityLoad.Plan([(healthy + 1, total), .. levels.Skip(1)]);
            return better[0].Percent >= shares[0].Percent;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Near_endpoints_come_before_far_ones_and_named_regions_before_others()
    {
        Endpoint At(string region, string? zone = null, string? subzone = null, int priority = 0) => new(region + zone + subzone + priority, 1, new(region, zone, subzone), priority);
        Endpoint[] all = [At("us"), At("eu", "b"), At("eu", "a", "1"), At("ap"), At("eu", "a", "2"), At("eu", "a", "1", priority: 1)];
        var assigned = LocalityPriorities.Assign(all, new("eu", "a", "1"), [new("eu", "ap")]);
        Assert.Equal([4, 2, 0, 3, 1, 5], assigned.Select(e => e.Priority));
        Assert.All(LocalityPriorities.Assign(all[..5], default, []), e => Assert.Equal(0, e.Priority));
    }

    [Fact]
    public void A_level_is_used_only_when_the_one_before_it_is_not_well_enough()
    {
        Endpoint[] endpoints = [new("a"), new("b"), new("c", Priority: 1), new("d", Priority: 1)];
        Assert.Equal([0, 1], Reached(endpoints, [EndpointHealth.Healthy, EndpointHealth.Healthy, EndpointHealth.Healthy, EndpointHealth.Healthy]));
        Assert.Equal([0, 2, 3], Reached(endpoints, [EndpointHealth.Healthy, EndpointHealth.Unhealthy, EndpointHealth.Healthy, EndpointHealth.Healthy]));
        Assert.Equal([2, 3], Reached(endpoints, [EndpointHealth.Unhealthy, EndpointHealth.Draining, EndpointHealth.Healthy, EndpointHealth.Healthy]));
        Assert.Equal([0, 2, 3], Reached(endpoints, [EndpointHealth.Unhealthy, EndpointHealth.Draining, EndpointHealth.Unhealthy, EndpointHealth.Unhealthy]));
    }

    [Fact]
    public void Who_drains_is_left_alone_unless_nobody_else_is_there()
    {
        Assert.Equal([1], Reached([new("a"), new("b")], [EndpointHealth.Draining, EndpointHealth.Healthy]));
        Assert.Equal([0, 1], Reached([new("a"), new("b")], [EndpointHealth.Draining, EndpointHealth.Draining]));
        Assert.Empty(Reached([], []));
    }

    [Fact]
    public void A_retry_goes_to_another_level_before_it_goes_to_the_same_endpoint_and_there_before_it_fails()
    {
        Endpoint[] endpoints = [new("a"), new("b", Priority: 1)];
        var table = PickTable.Create(endpoints, [EndpointHealth.Healthy, EndpointHealth.Healthy], [1, 1], level => new RoundRobin(level.Weights));
        var rng = new Rng(1);
        Assert.Equal(0, table.Pick(default, ref rng));
        Assert.Equal(1, table.Pick(new PickRequest { Tried = default(TriedEndpoints).With(0) }, ref rng));
        Assert.Equal(0, table.Pick(new PickRequest { Tried = default(TriedEndpoints).With(0).With(1) }, ref rng));
    }

    [Fact]
    public void Requests_are_divided_by_place_and_a_place_that_is_not_well_gives_to_the_others()
    {
        Endpoint[] endpoints = [new("a", 1, new("eu", "1", "")), new("b", 1, new("eu", "1", "x")), new("c", 1, new("eu", "2", "")), new("d", 1, new("us", "1", "")), new("e", 1, new("ap", "1", ""))];
        DistributionRule[] rules = [new("us/*", [("*", 100)]), new("eu/1/*", [("eu/1", 70), ("eu/*", 20), ("us", 10), ("ap", 0)])];
        var groups = LocalityDistribution.Of(endpoints, new("eu", "1", "y"), rules);

        Assert.Equal([35, 35, 20, 10, 0], Shares(endpoints, groups, [0, 1, 2, 3, 4]), (wanted, got) => Math.Abs(wanted - got) <= 1.5);
        // One of two well: 70 % of a group of 70 against 20 and 10.
        Assert.Equal([62, 0, 25, 13, 0], Shares(endpoints, groups, [0, 2, 3, 4]), (wanted, got) => Math.Abs(wanted - got) <= 1.5);
        Assert.Equal([0, 0, 67, 33, 0], Shares(endpoints, groups, [2, 3, 4]), (wanted, got) => Math.Abs(wanted - got) <= 1.5);
        // A retry leaves the place, too; but to where the rule sends nothing it never goes.
        var table = PickTable.Create(endpoints, [.. endpoints.Select(_ => EndpointHealth.Healthy)], [1, 1, 1, 1, 1], level => new RoundRobin(level.Weights), groups: groups);
        var rng = new Rng(3);
        for (var i = 0; i < 100; i++)
            Assert.Equal(3, table.Pick(new PickRequest { Tried = default(TriedEndpoints).With(0).With(1).With(2) }, ref rng));
        Assert.Null(LocalityDistribution.Of(endpoints, new("ap", "1", ""), rules));
        Assert.Equal([0, 0, 0, 0, 0], LocalityDistribution.Of(endpoints, new("us", "", ""), rules)!.GroupOf);
    }

    [Fact]
    public void Groups_of_one_level_have_its_share_together_whatever_the_health()
    {
        var gen = from count in Gen.Choose(1, 12)
                  from places in Gen.Choose(-1, 2).ListOf(count)
                  from levels in Gen.Choose(0, 2).ListOf(count)
                  from health in Gen.Choose(0, 2).ListOf(count)
                  select (places: places.ToArray(), levels: levels.ToArray(), health: health.Select(h => (EndpointHealth)h).ToArray());
        Prop.ForAll(gen.ToArbitrary(), sample =>
        {
            Endpoint[] endpoints = [.. sample.levels.Select((level, i) => new Endpoint($"{i}", Priority: level))];
            var table = PickTable.Create(endpoints, sample.health, [.. endpoints.Select(_ => 1)], level => new RoundRobin(level.Weights), groups: new(sample.places, [50, 30, 20]));
            var rng = new Rng(5);
            var picks = Enumerable.Range(0, 300).Select(_ => table.Pick(default, ref rng)).ToList();
            if (sample.places.All(place => place < 0))
                return picks.All(pick => pick == -1);
            var inside = Enumerable.Range(0, endpoints.Length).Where(i => sample.places[i] >= 0).ToList();
            // Nobody outside of the groups; nobody who drains or is ill while all is well enough without them.
            return picks.All(inside.Contains) && (!inside.All(i => sample.health[i] == EndpointHealth.Healthy) || picks.All(pick => endpoints[pick].Priority == inside.Min(i => endpoints[i].Priority)));
        }).QuickCheckThrowOnFailure();
    }

    private static double[] Shares(Endpoint[] endpoints, LocalityGroups? groups, int[] well)
    {
        var table = PickTable.Create(
            endpoints, [.. endpoints.Select((_, i) => well.Contains(i) ? EndpointHealth.Healthy : EndpointHealth.Unhealthy)], [.. endpoints.Select(e => e.Weight)], level => new RoundRobin(level.Weights), groups: groups);
        var rng = new Rng(11);
        var counts = new double[endpoints.Length];
        for (var i = 0; i < 20_000; i++)
            counts[table.Pick(default, ref rng)] += 100 / 20_000.0;
        return counts;
    }

    private static int[] Reached(Endpoint[] endpoints, EndpointHealth[] health)
    {
        var table = PickTable.Create(endpoints, health, [.. endpoints.Select(e => e.Weight)], level => new RoundRobin(level.Weights));
        var rng = new Rng(11);
        var reached = new SortedSet<int>();
        for (var i = 0; i < 1000 && !table.IsEmpty; i++)
            reached.Add(table.Pick(default, ref rng));
        return [.. reached];
    }
}
