using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Runtime;
using Weft.Testing;

namespace Weft.Control.Tests.Runtime;

public sealed class ControllerLoopTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Eventually.EndsAsync(_running);
        _stop.Dispose();
    }

    private ControllerLoop<string> Start(Func<string, Task<TimeSpan?>> reconcile, params string[] all)
    {
        var loop = new ControllerLoop<string>("test", (key, _) => reconcile(key), () => all, _time, Seeded.Random(1), NullLogger.Instance, workers: 3);
        _running = loop.RunAsync(_stop.Token);
        return loop;
    }

    [Fact]
    public async Task A_failing_key_comes_again_later_and_does_not_hold_up_others()
    {
        var tries = new ConcurrentDictionary<string, int>();
        var loop = Start(key =>
        {
            if (tries.AddOrUpdate(key, 1, (_, count) => count + 1) < 3 && key == "bad")
                throw new InvalidOperationException("a bug");
            return Task.FromResult<TimeSpan?>(null);
        });
        loop.Queue.Add("bad");
        loop.Queue.Add("good");
        await Eventually.TrueAsync(() => tries.GetValueOrDefault("good") == 1 && tries.GetValueOrDefault("bad") == 1);
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(20));
            return tries["bad"] == 3;
        });
        await Eventually.TrueAsync(() => loop.Health.Done == 4);
        Assert.Equal(2, loop.Health.Failed);
        loop.Dispose();
    }

    [Fact]
    public async Task A_key_comes_again_when_it_asked_to_and_at_the_resync()
    {
        var seen = new ConcurrentQueue<DateTimeOffset>();
        var loop = Start(_ =>
        {
            seen.Enqueue(_time.GetUtcNow());
            return Task.FromResult<TimeSpan?>(seen.Count == 1 ? TimeSpan.FromSeconds(30) : null);
        }, "a");
        loop.Queue.Add("a");
        await Eventually.TrueAsync(() => seen.Count == 1 && loop.Health.Done == 1);
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return seen.Count == 2;
        });
        Assert.True(seen.Last() - seen.First() >= TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromMinutes(31));
        await Eventually.TrueAsync(() => seen.Count == 3);
        loop.Dispose();
    }

    [Fact]
    public async Task A_loop_that_hangs_is_visible()
    {
        var hang = new TaskCompletionSource<TimeSpan?>();
        var loop = Start(_ => hang.Task);
        loop.Queue.Add("a");
        await Eventually.TrueAsync(() => loop.Health.InFlight == 1);
        Assert.False(loop.Health.IsStalled(_time.GetUtcNow()));
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.True(loop.Health.IsStalled(_time.GetUtcNow()));
        hang.SetResult(null);
        await Eventually.TrueAsync(() => loop.Health.InFlight == 0);
        Assert.False(loop.Health.IsStalled(_time.GetUtcNow()));
        loop.Dispose();
    }
}
