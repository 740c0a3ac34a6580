using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Transport;
using Weft.Testing;

namespace Weft.Proxy.Tests.Runtime;

public sealed class LoopWatchTests
{
    private static readonly TimeSpan Limit = 10 * LoopWatch.Interval;

    [Fact]
    public async Task A_loop_that_does_not_turn_is_found_after_its_time_and_one_that_turns_never()
    {
        using var good = new EventLoop("good", TimeProvider.System, _ => { });
        using var bad = new EventLoop("bad", TimeProvider.System, _ => { });
        good.Start();
        bad.Start();
        var watch = new LoopWatch([good, bad]);
        using var go = new ManualResetEventSlim();
        bad.Post(go.Wait);

        var found = new List<string?>();
        for (var look = 0; look < 12; look++)
            found.Add(await LookAsync());

        Assert.Equal([.. Enumerable.Repeat<string?>(null, 10), "bad", "bad"], found);
        go.Set();
        await bad.PostAsync(() => { });
        Assert.Null(await LookAsync());

        // An answer ends the count.
        for (var look = 0; look < 30; look++)
        {
            Assert.Null(await LookAsync());
            await bad.PostAsync(() => { });
        }

        async Task<string?> LookAsync()
        {
            var name = watch.Look(Limit);
            await good.PostAsync(() => { });
            return name;
        }
    }

    [Fact]
    public async Task An_engine_tells_the_name_of_its_loop_that_hangs()
    {
        await using var engine = new ProxyEngine(loops: 2, accessLog: null, TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        await engine.ApplyAsync(new ProxyConfig { LoopTimeout = TimeSpan.FromSeconds(1) });
        var name = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var turned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.WatchLoops(() => turned.TrySetResult(), hangs => name.TrySetResult(hangs));
        await Eventually.EndsAsync(turned.Task);
        Assert.False(name.Task.IsCompleted);

        using var go = new ManualResetEventSlim();
        engine.Loop(1).Post(go.Wait);

        Assert.Equal("loop 1", await Eventually.EndsAsync(name.Task));
        go.Set();
    }
}
