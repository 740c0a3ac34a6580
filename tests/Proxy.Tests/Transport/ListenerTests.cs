using System.Net;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;
using Weft.Testing;

namespace Weft.Proxy.Tests.Transport;

public sealed class ListenerTests
{
    private const int ShutReadWrite = 2;

    [Fact]
    public async Task A_socket_that_somebody_else_has_shut_down_does_not_have_the_loop_for_itself()
    {
        // Disposed of at the end only: a loop that spins would hold the failure up.
        var loop = new EventLoop("loop", TimeProvider.System, _ => { });
        loop.Start();
        var socket = Listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var descriptor = (int)socket.SafeHandle.DangerousGetHandle();
        Listener? listener = null;
        await loop.PostAsync(() => listener = new Listener(loop, socket, (_, _) => { }));

        // From here on each accept fails with EINVAL.
        Assert.Equal(0, Libc.shutdown(descriptor, ShutReadWrite));

        await Eventually.EndsAsync(loop.PostAsync(listener!.TakeAndDispose));
        loop.Dispose();
    }
}
