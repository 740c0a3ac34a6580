using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Tests.Transport;

public sealed class PollerTests
{
    [Fact]
    public void A_wake_after_the_end_touches_nothing_of_who_has_the_descriptor_now()
    {
        var poller = new Poller();
        poller.Dispose();

        // The kernel gives the lowest number that is free: the next sockets have those of the poller, but for what other tests take meanwhile.
        var pairs = Enumerable.Range(0, 64).Select(_ => SocketCalls.Pair()!.Value).ToList();
        poller.Wake();
        Assert.All(pairs, pair => Assert.False(SocketCalls.HasUnread(pair.One) || SocketCalls.HasUnread(pair.Other)));
        poller.Dispose();
        Assert.All(pairs, pair => Assert.Equal((1, 1), (SocketCalls.Send(pair.One, "x"u8), SocketCalls.Send(pair.Other, "x"u8))));

        foreach (var (one, other) in pairs)
        {
            SocketCalls.Close(one);
            SocketCalls.Close(other);
        }
    }

    [Fact]
    public void A_loop_that_has_stopped_takes_what_is_posted_and_stops_again()
    {
        var loop = new EventLoop("stopped", TimeProvider.System, _ => { });
        loop.Start();
        loop.Stop();
        loop.Post(() => { });
        loop.Stop();
    }
}
