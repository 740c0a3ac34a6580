using Weft.Proxy.Forwarding;
using Weft.Proxy.Http2;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;

namespace Weft.Bench.Proxy;

/// <summary>HTTP/2 by prior knowledge in front of an HTTP/1.1 upstream.</summary>
internal static class H2cFront
{
    public static void Listen(EventLoop loop, System.Net.IPEndPoint address, LoopServices services, EndpointPool pool)
    {
        var options = new Http2ServerOptions(new(), "http");
        var streams = new Http2Streams(loop.Buffers);
        _ = new Listener(loop, Listener.Bind(address), (fd, peer) =>
        {
            var connection = new Connection(loop, fd, peer, connecting: false);
            var codec = new Http2ServerConnection(connection, new DownstreamConnection(services, pool, peer), options, streams);
            connection.Protocol = codec;
            codec.Start();
        });
    }
}
