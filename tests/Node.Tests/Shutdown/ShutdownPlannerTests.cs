using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Api.Shutdown;
using Weft.Node.Shutdown;
using Weft.Node.Tests.Pods;

namespace Weft.Node.Tests.Shutdown;

public sealed class ShutdownPlannerTests
{
    private static readonly ImmutableArray<PriorityPeriod> Periods = [new(0, 20), new(1000, 5), new(ShutdownPeriods.Critical, 10)];

    private static Pod Pod(string uid, int? priority, int grace = 30, string phase = "Running") => World.Pod(
        $$"""{"containers":[{"name":"a"}],"terminationGracePeriodSeconds":{{grace}}{{(priority is null ? "" : $",\"priority\":{priority}")}}}""", $$"""{"uid":"{{uid}}"}""", new() { Phase = phase });

    private static string Text(ImmutableArray<ShutdownGroup> groups) =>
        string.Join(" | ", groups.Select(g => $"{g.Period.TotalSeconds}: {string.Join(' ', g.Pods.Select(p => $"{p.Uid}={p.Grace.TotalSeconds}"))}"));

    [Fact]
    public void Lower_priorities_end_first_each_with_its_own_grace_within_the_groups() => Assert.Equal(
        "20: plain=20 short=1 under=20 | 5: high=5 | 10: critical=10 node=2",
        Text(ShutdownPlanner.Plan(
            [Pod("node", 2_000_001_000, 2), Pod("critical", ShutdownPeriods.Critical), Pod("plain", null), Pod("short", 999, 1), Pod("high", 1000), Pod("under", -5), Pod("over", 7, phase: "Failed")],
            Periods)));

    [Fact]
    public void Groups_without_pods_take_no_time() => Assert.Equal("10: critical=10", Text(ShutdownPlanner.Plan([Pod("critical", ShutdownPeriods.Critical)], Periods)));

    [Fact]
    public void No_period_is_for_nobody() => Assert.Empty(ShutdownPlanner.Plan([Pod("a", 1)], []));

    [Fact]
    public void Whatever_runs_ends_once_in_order_of_priority_and_never_beyond_what_its_group_has()
    {
        var random = new Random(7);
        for (var round = 0; round < 500; round++)
        {
            var pods = Enumerable.Range(0, random.Next(12)).Select(i => Pod($"p{i}", random.Next(5) == 0 ? null : random.Next(-2, 6) * 500, random.Next(40), random.Next(6) == 0 ? "Succeeded" : "Running")).ToList();
            var periods = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(-2, 6) * 500).Distinct().Select(p => new PriorityPeriod(p, random.Next(30))).ToImmutableArray();

            var groups = ShutdownPlanner.Plan(pods, periods);

            var alive = pods.Where(p => p.Status.Phase == "Running").ToDictionary(p => p.Metadata.Uid!);
            Assert.Equal(alive.Keys.Order(), groups.SelectMany(g => g.Pods).Select(p => p.Uid).Order());
            Assert.All(groups, g => Assert.All(g.Pods, p => Assert.InRange(p.Grace, TimeSpan.Zero, g.Period)));
            Assert.All(groups.Zip(groups.Skip(1)), pair => Assert.True(Highest(pair.First) < Lowest(pair.Second)));
            Assert.True(groups.Sum(g => g.Period.TotalSeconds) <= periods.Sum(p => p.Seconds));

            int Highest(ShutdownGroup group) => group.Pods.Max(p => alive[p.Uid].Spec.Priority ?? 0);
            int Lowest(ShutdownGroup group) => group.Pods.Min(p => alive[p.Uid].Spec.Priority ?? 0);
        }
    }

    [Theory]
    [InlineData("0=20,1000=5", "0=20 1000=5")]
    [InlineData("1000=5,-3=0,0=20", "-3=0 0=20 1000=5")]
    [InlineData("0", null)]
    [InlineData("0=-1", null)]
    [InlineData("0=1,0=2", null)]
    [InlineData("a=1", null)]
    [InlineData("", null)]
    public void Periods_are_read_or_refused(string text, string? read) =>
        Assert.Equal(read, ShutdownPeriods.Parse(text) is { } periods ? string.Join(' ', periods.Select(p => $"{p.Priority}={p.Seconds}")) : null);

    [Fact]
    public void The_critical_pods_part_is_of_the_whole()
    {
        Assert.Equal([new(0, 20), new(ShutdownPeriods.Critical, 10)], ShutdownPeriods.Of(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10))!.Value);
        Assert.Null(ShutdownPeriods.Of(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)));
    }
}
