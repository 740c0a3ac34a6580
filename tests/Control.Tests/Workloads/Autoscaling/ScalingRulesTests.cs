using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Control.Workloads;
using Weft.Testing;

namespace Weft.Control.Tests.Workloads.Autoscaling;

public sealed class ScalingRulesTests
{
    private static readonly DateTimeOffset Now = Make.Now;

    [Theory]
    // Without a behavior: the higher of four pods and as many again; downwards everything.
    [InlineData("", "", 1, 100, 5)]
    [InlineData("", "", 10, 100, 20)]
    [InlineData("", "", 100, 1, 1)]
    [InlineData("Pods 2 60", "", 10, 100, 12)]
    [InlineData("Percent 10 60", "", 15, 100, 17)]
    [InlineData("Pods 2 60, Percent 50 60", "", 10, 100, 15)]
    [InlineData("Min Pods 2 60, Percent 50 60", "", 10, 100, 12)]
    [InlineData("Disabled Pods 2 60", "", 10, 100, 10)]
    [InlineData("", "Pods 2 60", 10, 1, 8)]
    [InlineData("", "Percent 10 60", 10, 1, 9)]
    [InlineData("", "Pods 2 60, Percent 50 60", 10, 1, 5)]
    [InlineData("", "Min Pods 2 60, Percent 50 60", 10, 1, 8)]
    [InlineData("", "Disabled Percent 100 15", 10, 1, 10)]
    public void Policies_bound_the_change(string up, string down, int current, int wanted, int expected)
    {
        var rules = new ScalingRules(new HorizontalPodAutoscalerBehavior { ScaleUp = Rules(up), ScaleDown = Rules(down) });
        var bounded = rules.Limit(current, wanted, 1, 1000, AutoscalerHistory.Empty, Now);
        Assert.Equal((expected, expected != wanted), (bounded.Replicas, bounded.IsLimited));
    }

    [Fact]
    public void A_policy_counts_what_happened_in_its_period()
    {
        var rules = new ScalingRules(new HorizontalPodAutoscalerBehavior { ScaleUp = Rules("Pods 4 60"), ScaleDown = Rules("Pods 4 60") });
        var history = AutoscalerHistory.Empty.Scaled(3, Now.AddSeconds(-59)).Scaled(-1, Now.AddSeconds(-30));
        // Eight at the beginning of the minute, so twelve at most and four at least.
        Assert.Equal(12, rules.Limit(10, 100, 1, 1000, history, Now).Replicas);
        Assert.Equal(4, rules.Limit(10, 1, 1, 1000, history, Now).Replicas);
        // The first of them is out of the minute: eleven then.
        Assert.Equal(15, rules.Limit(10, 100, 1, 1000, history, Now.AddSeconds(1)).Replicas);
        // What is used up waits: it is not turned back.
        Assert.Equal(10, rules.Limit(10, 100, 1, 1000, AutoscalerHistory.Empty.Scaled(7, Now.AddSeconds(-5)), Now).Replicas);
    }

    [Fact]
    public void Memory_is_bounded_by_time_and_by_number()
    {
        var history = AutoscalerHistory.Empty;
        for (var i = 0; i < 2000; i++)
            history = history.Recommended(i, Now.AddMilliseconds(i)).Scaled(1, Now.AddMilliseconds(i));
        Assert.Equal((480, 480), (history.Recommendations.Length, history.Changes.Length));
        Assert.Equal([7], history.Recommended(7, Now.AddHours(2)).Recommendations.Select(one => one.Replicas));
    }

    [Fact]
    public void A_window_upwards_takes_the_least_that_was_wanted()
    {
        var rules = new ScalingRules(new HorizontalPodAutoscalerBehavior { ScaleUp = new HPAScalingRules { StabilizationWindowSeconds = 60 } });
        var history = AutoscalerHistory.Empty.Recommended(4, Now.AddSeconds(-59)).Recommended(9, Now.AddSeconds(-30));
        var held = rules.Stabilize(3, 8, history, Now);
        Assert.Equal((4, "ScaleUpStabilized"), (held.Replicas, held.Reason));
        Assert.Equal((8, "ReadyForNewScale"), (rules.Stabilize(3, 8, history, Now.AddSeconds(1)).Replicas, rules.Stabilize(3, 8, history, Now.AddSeconds(1)).Reason));
    }

    [Fact]
    public void A_tolerance_is_of_its_direction()
    {
        var tolerances = new ScalingRules(new HorizontalPodAutoscalerBehavior { ScaleUp = new HPAScalingRules { Tolerance = Quantity.Parse("0.01") } }).Tolerances;
        Assert.True(tolerances.Allow(1.005));
        Assert.False(tolerances.Allow(1.02));
        Assert.True(tolerances.Allow(0.95));
    }

    [Fact]
    public void Whatever_comes_the_number_stays_in_bounds_and_within_the_rate_and_does_not_swing()
    {
        var random = Seeded.Random(11);
        for (var round = 0; round < 300; round++)
        {
            var (min, max) = (random.Next(1, 5), random.Next(5, 40));
            var (pods, percent, period) = (random.Next(1, 6), random.Next(1, 150), random.Next(15, 120));
            var behavior = new HorizontalPodAutoscalerBehavior
            {
                ScaleUp = Rules($"Min Pods {pods} {period}, Percent {percent} {period}") with { StabilizationWindowSeconds = random.Next(0, 60) },
                ScaleDown = Rules($"Pods {pods} {period}") with { StabilizationWindowSeconds = random.Next(0, 200) },
            };
            var workload = new Autoscaled { Scale = new ScaleView(min, min, "app=web"), Spec = new Autoscaled().Spec with { MinReplicas = min, MaxReplicas = max, Behavior = behavior } };
            var sizes = new List<(DateTimeOffset At, int Replicas)> { (Now, min) };
            for (var step = 1; step <= 40; step++)
            {
                var (now, current) = (Now.AddSeconds(15 * step), workload.Scale.Replicas);
                workload = workload with
                {
                    Pods = [.. Enumerable.Range(0, current).Select(index => Autoscaled.Pod(index))],
                    Readings = [Autoscaled.Samples([.. Enumerable.Range(0, current).Select(_ => random.Next(10) == 0 ? null : (int?)random.Next(0, 2000))])],
                };
                var plan = workload.Plan(now);
                var next = plan.ScaleTo ?? current;
                Assert.InRange(next, min, max);
                var before = sizes.Where(size => size.At <= now.AddSeconds(-period)).Select(size => size.Replicas).LastOrDefault(min);
                Assert.True(next <= current || next <= before + pods, $"{current} to {next} where {before} + {pods} is the most");
                Assert.True(next >= current || next >= before - pods, $"{current} to {next} where {before} - {pods} is the least");
                sizes.Add((now, next));
                workload = workload with { Scale = new ScaleView(next, next, "app=web"), Status = plan.Status, History = plan.History };
                Assert.True(plan.History.Recommendations.Length <= 3600 / 15 + 1);
            }

            // At its target it rests: what was done leaves nothing to do.
            var calm = workload with
            {
                Pods = [.. Enumerable.Range(0, workload.Scale.Replicas).Select(index => Autoscaled.Pod(index))],
                Readings = [Autoscaled.Samples([.. Enumerable.Repeat((int?)500, workload.Scale.Replicas)])], History = AutoscalerHistory.Empty,
            };
            Assert.Null(calm.Plan(Now.AddHours(3)).ScaleTo);
        }
    }

    // `[Max|Min|Disabled] TYPE VALUE SECONDS, ...`; empty: the defaults, downwards without a window.
    private static HPAScalingRules Rules(string text)
    {
        var select = text.Split(' ')[0] is "Min" or "Disabled" ? text.Split(' ')[0] : null;
        var policies = (select is null ? text : text[(select.Length + 1)..]).Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split(' '));
        return new HPAScalingRules
        {
            SelectPolicy = select, Policies = [.. policies.Select(part => new HPAScalingPolicy { Type = part[0], Value = int.Parse(part[1]), PeriodSeconds = int.Parse(part[2]) })],
        };
    }
}
