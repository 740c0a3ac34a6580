using FsCheck;
using FsCheck.Fluent;
using Weft.Balancing.Concurrency;

namespace Weft.Balancing.Tests;

public class ConcurrencyTests
{
    private const long Millisecond = TimeSpan.TicksPerMillisecond, Nanoseconds = 1_000_000;

    [Fact]
    public void A_percentile_is_right_within_a_thirtieth() =>
        Prop.ForAll(Gen.Choose(1, 2_000_000_000).ArrayOf().Where(values => values.Length > 0).ToArbitrary(), values =>
        {
            var histogram = new LatencyHistogram();
            foreach (var value in values)
                histogram.Add(value * 100L);
            var exact = values.Order().ElementAt((values.Length - 1) / 2) * 100L;
            return histogram.Count == values.Length && histogram.Take(0.5) is { } got && Math.Abs(got - exact) <= (exact / 30) + 1 && histogram.Take(0.5) is null && histogram.Count == 0;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void It_finds_what_a_server_bears_and_follows_when_that_changes()
    {
        var server = new Simulation(new GradientSettings(), capacity: 40, service: 10);
        server.Run(seconds: 30, clients: 500);
        // At twice the capacity latency has doubled: the gradient ends the growth well before that.
        Assert.InRange(server.Limit.Limit, 30, 90);
        Assert.InRange(server.Limit.Ideal / Nanoseconds, 9, 11);

        server.Capacity = 10;
        server.Run(seconds: 30, clients: 500);
        Assert.InRange(server.Limit.Limit, 6, 30);

        server.Capacity = 200;
        server.Run(seconds: 60, clients: 500);
        Assert.InRange(server.Limit.Limit, 150, 420);
    }

    [Fact]
    public void Without_a_queue_it_grows_to_the_most_and_without_requests_it_stays()
    {
        var server = new Simulation(new GradientSettings(Most: 300), capacity: 100_000, service: 5);
        server.Run(seconds: 20, clients: 1000);
        Assert.Equal(300, server.Limit.Limit);
        server.Run(seconds: 20, clients: 0);
        Assert.Equal(300, server.Limit.Limit);
    }

    /// <summary>A server that has become slower for good is not held to an ideal of the past.</summary>
    [Fact]
    public void An_ideal_that_holds_no_more_is_measured_anew()
    {
        var server = new Simulation(new GradientSettings { MeasureEvery = TimeSpan.TicksPerHour }, capacity: 50, service: 10);
        server.Run(seconds: 10, clients: 100);
        server.Service = 100;
        server.Run(seconds: 60, clients: 100);
        Assert.InRange(server.Limit.Ideal / Nanoseconds, 90, 110);
        Assert.True(server.Limit.Limit > 20);
    }

    [Fact]
    public void Whatever_comes_the_limit_stays_within_its_bounds_and_changes_by_a_factor_of_two_at_most()
    {
        var gen = from least in Gen.Choose(1, 10)
                  from room in Gen.Choose(0, 200)
                  from latencies in Gen.Choose(0, 1_000_000_000).NonEmptyListOf()
                  select (least, most: least + room, latencies);
        Prop.ForAll(gen.ToArbitrary(), sample =>
        {
            var settings = new GradientSettings(sample.least, sample.most) { MeasureRequests = 2, MeasureEvery = TimeSpan.TicksPerSecond };
            var limit = new GradientLimit(settings, 0);
            long now = 0;
            foreach (var latency in sample.latencies)
            {
                var before = limit.Limit;
                if (!limit.TryEnter(now) || limit.Active != 1)
                    return false;
                now += settings.Window;
                limit.Leave(now, now, latency);
                var after = limit.Limit;
                if (after < sample.least || after > sample.most || limit.Active != 0)
                    return false;
                // Measuring takes it to the least and back to what it was.
                if (after != sample.least && before != sample.least && (after > (2 * before) + Math.Sqrt(2 * before) + 1 || after < (before / 2) - 1))
                    return false;
            }

            return true;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_more_enter_than_the_limit_and_nothing_is_allocated()
    {
        var limit = new GradientLimit(new GradientSettings(5), 0);
        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => limit.TryEnter(0)));
        limit.Leave(0, 0, -1);
        Assert.True(limit.TryEnter(0));
        Assert.False(limit.TryEnter(0));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            limit.Leave(i * Millisecond, i * Millisecond, i);
            limit.TryEnter(i * Millisecond);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>Those who are inside may never leave: the others wait for the end of the measurement, not for them.</summary>
    [Fact]
    public void A_measurement_ends_with_the_limit_from_before_when_too_few_are_answered()
    {
        var settings = new GradientSettings { MeasureRequests = 20, MeasureEvery = TimeSpan.TicksPerSecond };
        var limit = new GradientLimit(settings, 0);
        long now = 0;
        void Answer(long nanoseconds)
        {
            Assert.True(limit.TryEnter(now));
            limit.Leave(now, now, nanoseconds);
        }

        for (var i = 0; i < settings.MeasureRequests; i++)
            Answer(Nanoseconds);
        var (ideal, before) = (limit.Ideal, limit.Limit);
        while (before == settings.Least || limit.Limit > settings.Least)
        {
            before = limit.Limit;
            now += settings.Window;
            Answer(Nanoseconds);
        }

        Assert.True(before > settings.Least);
        Answer(1000 * Nanoseconds);
        var end = now + (settings.MeasureWindows * settings.Window);
        Assert.Equal(settings.Least, Enumerable.Range(0, 20).Count(_ => limit.TryEnter(now)));
        Assert.False(limit.TryEnter(end - 1));
        Assert.True(limit.TryEnter(end));
        // One request is too few to say that the server has become slower.
        Assert.Equal((ideal, before), (limit.Ideal, limit.Limit));
    }

    [Fact]
    public void While_nobody_was_ever_answered_the_limit_grows_with_each_measurement_that_ends()
    {
        var settings = new GradientSettings(Most: 20);
        var limit = new GradientLimit(settings, 0);
        var measurement = settings.MeasureWindows * settings.Window;
        int Enter(long now) => Enumerable.Range(0, 100).Count(_ => limit.TryEnter(now));
        Assert.Equal(3, Enter(0));
        Assert.Equal(0, Enter(measurement - 1));
        Assert.Equal(1, Enter(measurement));
        Assert.Equal(2, Enter(2 * measurement));
        for (var i = 3; i < 20; i++)
            Enter(i * measurement);
        Assert.Equal((20, 20, 0), (limit.Active, limit.Limit, limit.Ideal));

        // One answer is better than none.
        limit.Leave(0, 21 * measurement, Nanoseconds);
        Assert.InRange(limit.Ideal, Nanoseconds * 9 / 10, Nanoseconds * 11 / 10);
        Assert.Equal(20, limit.Limit);
    }

    /// <summary>A server that is at work on so many requests at once; the others share what it does. Time passes by the millisecond.</summary>
    private sealed class Simulation(GradientSettings settings, int capacity, double service)
    {
        private readonly List<(long Started, double Left)> _inside = [];
        private long _now;

        public GradientLimit Limit { get; } = new(settings, 0);

        public int Capacity { get; set; } = capacity;

        /// <summary>Milliseconds of a request that is alone.</summary>
        public double Service { get; set; } = service;

        public void Run(int seconds, int clients)
        {
            for (var end = _now + (seconds * TimeSpan.TicksPerSecond); _now < end; _now += Millisecond)
            {
                while (_inside.Count < clients && Limit.TryEnter(_now))
                    _inside.Add((_now, Service));
                var done = Math.Min(1.0, Capacity / (double)Math.Max(_inside.Count, 1));
                for (var i = _inside.Count - 1; i >= 0; i--)
                {
                    var (started, left) = _inside[i];
                    _inside[i] = (started, left - done);
                    if (left > done)
                        continue;
                    _inside.RemoveAt(i);
                    Limit.Leave(started, _now, (_now + Millisecond - started) / Millisecond * Nanoseconds);
                }
            }
        }
    }
}
