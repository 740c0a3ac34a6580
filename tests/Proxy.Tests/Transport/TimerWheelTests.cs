using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Transport;

public sealed class TimerWheelTests
{
    [Fact]
    public void A_timer_fires_once_when_due_and_never_before()
    {
        var wheel = new TimerWheel(1000);
        var now = 1000L;
        var random = new Random(7);
        var fired = new List<(long Due, long At)>();
        foreach (var delay in Enumerable.Range(0, 500).Select(_ => random.Next(1, 60_000)).ToList())
        {
            var due = now + delay;
            new LoopTimer(wheel, () => fired.Add((due, now))).Set(due);
        }

        while (now < 70_000)
            wheel.Advance(now += random.Next(1, 300));
        Assert.Equal(500, fired.Count);
        Assert.All(fired, f => Assert.InRange(f.At - f.Due, 0, 300 + (2 * TimerWheel.SlotMilliseconds)));
    }

    [Fact]
    public void A_timer_that_is_moved_or_cancelled_fires_at_its_last_time_only()
    {
        var wheel = new TimerWheel(0);
        var fired = new List<string>();
        var later = new LoopTimer(wheel, () => fired.Add("later"));
        var sooner = new LoopTimer(wheel, () => fired.Add("sooner"));
        var never = new LoopTimer(wheel, () => fired.Add("never"));
        later.Set(100);
        later.Set(500);
        sooner.Set(30_000);
        sooner.Set(200);
        never.Set(100);
        never.Cancel();
        wheel.Advance(150);
        Assert.Empty(fired);
        wheel.Advance(300);
        Assert.Equal(["sooner"], fired);
        wheel.Advance(40_000);
        Assert.Equal(["sooner", "later"], fired);
    }

    [Fact]
    public void Timers_a_turn_ahead_do_not_hold_up_a_wheel_that_makes_up_for_lost_time()
    {
        // One that is due much later is looked at again in the slot just behind: with several slots fired at once that was the slot being fired, for ever.
        var wheel = new TimerWheel(0);
        for (var i = 0; i < 2000; i++)
            new LoopTimer(wheel, () => { }).Set(75_000 + (i * TimerWheel.SlotMilliseconds));
        for (var now = 0L; now < 60_000; now += 1000)
            wheel.Advance(now);
        Assert.InRange(wheel.NextIn(60_000), 0, 20_000);
    }

    [Fact]
    public void The_next_look_is_told_so_that_the_loop_may_sleep()
    {
        var wheel = new TimerWheel(0);
        Assert.Equal(-1, wheel.NextIn(0));
        var timer = new LoopTimer(wheel, () => { });
        timer.Set(1000);
        Assert.InRange(wheel.NextIn(0), 985, 1016);
        timer.Dispose();
        Assert.Equal(-1, wheel.NextIn(0));
    }

    [Fact]
    public void A_timer_that_fails_holds_no_other_up()
    {
        var failures = new List<Exception>();
        var wheel = new TimerWheel(0, failures.Add);
        var fired = 0;
        new LoopTimer(wheel, () => throw new InvalidOperationException("a defect")).Set(20);
        new LoopTimer(wheel, () => fired++).Set(20);
        new LoopTimer(wheel, () => fired++).Set(100);
        wheel.Advance(200);
        Assert.Equal(2, fired);
        Assert.Single(failures);
    }
}
