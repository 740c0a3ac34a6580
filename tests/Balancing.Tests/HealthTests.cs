using FsCheck;
using FsCheck.Fluent;
using Weft.Balancing.Health;

namespace Weft.Balancing.Tests;

public class HealthTests
{
    private static readonly long Second = TimeSpan.FromSeconds(1).Ticks;

    [Fact]
    public void The_logistic_weight_falls_steadily_and_is_half_at_its_threshold()
    {
        Assert.Equal(0.5, HealthWeight.Default.Of(0.7), 6);
        Assert.InRange(HealthWeight.Default.Of(1), 0.99, 1);
        Assert.InRange(HealthWeight.Default.Of(0), 0, 0.001);
        Assert.Equal(1, HealthWeight.Default.Of(double.NaN));
        Prop.ForAll(Gen.Choose(0, 1000).Two().ToArbitrary(), pair =>
        {
            var (low, high) = (Math.Min(pair.Item1, pair.Item2) / 1000.0, Math.Max(pair.Item1, pair.Item2) / 1000.0);
            return HealthWeight.Default.Of(low) <= HealthWeight.Default.Of(high);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Old_results_fall_out_of_the_window()
    {
        var window = new SuccessWindow(6, 10 * Second);
        Assert.Equal(double.NaN, window.Ratio(0));
        window.Add(0, 0, 100);
        window.Add(30 * Second, 100, 0);
        Assert.Equal(0.5, window.Ratio(59 * Second));
        Assert.Equal(1, window.Ratio(60 * Second));
        Assert.Equal(double.NaN, window.Ratio(60 * Second, least: 101));
        Assert.Equal(0, window.Requests(1000 * Second));
    }

    [Fact]
    public void Slow_start_grows_from_its_least_to_all()
    {
        var slow = new SlowStart(60 * Second);
        Assert.Equal(0.1, slow.Factor(0, 0));
        Assert.Equal(0.5, slow.Factor(0, 30 * Second), 6);
        Assert.Equal(1, slow.Factor(0, 60 * Second));
        Assert.Equal(1, new SlowStart(0).Factor(0, 0));
        Assert.True(new SlowStart(60 * Second, Aggression: 2).Factor(0, 15 * Second) > slow.Factor(0, 15 * Second));
    }

    [Fact]
    public void Weights_that_nothing_reduces_stay_as_they_are_and_none_falls_to_nothing()
    {
        Assert.Equal([1, 7], EffectiveWeights.Of([1, 7], [1, 1]));
        Assert.Equal([100, 350], EffectiveWeights.Of([1, 7], [1, 0.5]));
        Assert.Equal([1, 700], EffectiveWeights.Of([1, 7], [0, 1]));
    }

    [Theory]
    [InlineData(AttemptOutcome.ServerError, EjectionReason.Consecutive5xx)]
    [InlineData(AttemptOutcome.GatewayError, EjectionReason.Consecutive5xx)]
    [InlineData(AttemptOutcome.LocalError, EjectionReason.ConsecutiveLocalErrors)]
    public void Five_failures_in_a_row_take_an_endpoint_out(AttemptOutcome failure, EjectionReason reason)
    {
        var detector = new OutlierDetector(OutlierSettings.Default, 3);
        for (var i = 0; i < 4; i++)
            Assert.False(detector.Report(0, failure, 0));
        Assert.True(detector.Report(0, failure, 0));
        Assert.Equal(reason, detector.Reason(0));
        Assert.False(detector.IsEjected(1));
    }

    [Fact]
    public void A_success_between_starts_the_count_anew_and_neutral_results_say_nothing()
    {
        var detector = new OutlierDetector(OutlierSettings.Default, 2);
        for (var i = 0; i < 20; i++)
        {
            for (var n = 0; n < 4; n++)
                Assert.False(detector.Report(0, AttemptOutcome.ServerError, 0));
            detector.Report(0, AttemptOutcome.Neutral, 0);
            detector.Report(0, AttemptOutcome.Success, 0);
        }

        Assert.Equal(0, detector.Ejected);
    }

    [Fact]
    public void Each_further_time_out_is_longer_up_to_the_longest_and_good_intervals_forgive()
    {
        var detector = new OutlierDetector(OutlierSettings.Default with { MaxEjectionPercent = 100 }, 1);
        long now = 0;
        for (var time = 1; time <= 12; time++)
        {
            for (var n = 0; n < 5; n++)
                detector.Report(0, AttemptOutcome.ServerError, now);
            var length = Math.Min(30 * time, 300) * Second;
            detector.Sweep(now + length - 1);
            Assert.True(detector.IsEjected(0), $"time {time}");
            detector.Sweep(now + length);
            Assert.False(detector.IsEjected(0), $"time {time}");
            now += length;
        }

        for (var good = 0; good < 12; good++)
            detector.Sweep(now += 10 * Second);
        for (var n = 0; n < 5; n++)
            detector.Report(0, AttemptOutcome.ServerError, now);
        detector.Sweep(now + (30 * Second));
        Assert.False(detector.IsEjected(0));
    }

    [Fact]
    public void No_more_than_the_allowed_part_is_out_at_once_but_one_always_may() =>
        Prop.ForAll(Gen.Choose(1, 50).ToArbitrary(), Gen.Choose(1, 100).ToArbitrary(), (count, percent) =>
        {
            var detector = new OutlierDetector(OutlierSettings.Default with { MaxEjectionPercent = percent }, count);
            for (var i = 0; i < count; i++)
            {
                for (var n = 0; n < 5; n++)
                    detector.Report(i, AttemptOutcome.LocalError, 0);
            }

            return detector.Ejected == Math.Max(1, count * percent / 100);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_one_whose_success_rate_falls_out_of_the_crowd_is_found()
    {
        var detector = new OutlierDetector(OutlierSettings.Default with { Consecutive5xx = 0, ConsecutiveLocalErrors = 0 }, 10);
        for (var request = 0; request < 200; request++)
        {
            for (var i = 0; i < 10; i++)
                detector.Report(i, i == 4 && request % 4 == 0 ? AttemptOutcome.ServerError : AttemptOutcome.Success, 0);
        }

        Assert.True(detector.Sweep(10 * Second));
        Assert.Equal(EjectionReason.SuccessRate, detector.Reason(4));
        Assert.Equal(1, detector.Ejected);
    }

    [Fact]
    public void Too_few_requests_or_endpoints_are_no_crowd()
    {
        var detector = new OutlierDetector(OutlierSettings.Default with { Consecutive5xx = 0 }, 4);
        for (var request = 0; request < 200; request++)
        {
            for (var i = 0; i < 4; i++)
                detector.Report(i, i == 0 ? AttemptOutcome.ServerError : AttemptOutcome.Success, 0);
        }

        Assert.False(detector.Sweep(10 * Second));
    }

    [Fact]
    public void An_endpoint_that_is_many_times_slower_than_the_median_is_taken_out()
    {
        var detector = new OutlierDetector(OutlierSettings.Default with { LatencyFactor = 4 }, 6);
        for (var request = 0; request < 100; request++)
        {
            for (var i = 0; i < 6; i++)
                detector.Report(i, AttemptOutcome.Success, 0);
        }

        Assert.True(detector.Sweep(10 * Second, [1e6, 2e6, 1e6, 1e7, 1e6, 2e6]));
        Assert.Equal(EjectionReason.Latency, detector.Reason(3));
        Assert.Equal(1, detector.Ejected);
    }
}
