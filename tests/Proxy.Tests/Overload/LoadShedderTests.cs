using Weft.Proxy.Config.Model;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Overload;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;
using Weft.Testing;

namespace Weft.Proxy.Tests.Overload;

public sealed class LoadShedderTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly LoopServices[] _loops;
    private readonly LoadShedder _shedder;
    private long _memory = 100;

    public LoadShedderTests()
    {
        _loops = [.. Enumerable.Range(0, 2).Select(number =>
            new LoopServices(new EventLoop($"loop {number}", TimeProvider.System, _ => { }), number, 1, new ProxyNames(), _time, (loop, streams) => new Upstreams(loop, streams)))];
        _shedder = new LoadShedder(_loops, () => Interlocked.Read(ref _memory), _time);
        foreach (var loop in _loops)
            loop.Loop.Start();
    }

    public void Dispose()
    {
        foreach (var loop in _loops)
            loop.Loop.Dispose();
    }

    [Fact]
    public void Without_bounds_everything_is_taken_on()
    {
        _loops[0].Metrics.InFlight = 1_000_000;
        _shedder.Look();
        Assert.Null(_shedder.Refuses(0));
        _shedder.Configure(new OverloadConfig());
        _shedder.Look();
        Assert.Null(_shedder.Refuses(0));
    }

    [Fact]
    public void Requests_of_all_loops_count_together()
    {
        _shedder.Configure(new OverloadConfig { MaxRequests = 10, RetryAfter = TimeSpan.FromSeconds(2.5) });
        (_loops[0].Metrics.InFlight, _loops[1].Metrics.InFlight) = (6, 4);
        Assert.Null(_shedder.Refuses(0));
        _loops[1].Metrics.InFlight++;
        Assert.Equal("overload_requests", _shedder.Refuses(0));
        Assert.Equal("overload_requests", _shedder.Refuses(1));
        Assert.Equal("3", System.Text.Encoding.ASCII.GetString(_shedder.RetryAfter));
        _shedder.Configure(null);
        Assert.Null(_shedder.Refuses(0));
    }

    [Fact]
    public void Memory_that_stays_above_its_bound_refuses_until_it_is_free()
    {
        _shedder.Configure(new OverloadConfig { MaxMemoryBytes = 1000 });
        _shedder.Look();
        Assert.Null(_shedder.Refuses(0));
        Interlocked.Exchange(ref _memory, 1001);
        _shedder.Look();
        Assert.Equal("overload_memory", _shedder.Refuses(1));
        Interlocked.Exchange(ref _memory, 900);
        _shedder.Look();
        Assert.Null(_shedder.Refuses(1));
    }

    [Fact]
    public async Task A_loop_that_lets_others_wait_too_long_refuses_and_the_other_does_not()
    {
        _shedder.Configure(new OverloadConfig { MaxLoopDelay = TimeSpan.FromMilliseconds(200) });
        using var busy = new ManualResetEventSlim();
        using var isBusy = new ManualResetEventSlim();
        _loops[0].Loop.Post(() =>
        {
            isBusy.Set();
            busy.Wait();
        });
        isBusy.Wait(TestContext.Current.CancellationToken);
        _shedder.Look();
        await _loops[1].Loop.PostAsync(() => { });
        _time.Advance(TimeSpan.FromMilliseconds(201));
        _shedder.Look();
        Assert.Equal("overload_delay", _shedder.Refuses(0));
        Assert.Null(_shedder.Refuses(1));

        busy.Set();
        await _loops[0].Loop.PostAsync(() => { });
        _shedder.Look();
        await _loops[0].Loop.PostAsync(() => { });
        Assert.Null(_shedder.Refuses(0));
    }
}
