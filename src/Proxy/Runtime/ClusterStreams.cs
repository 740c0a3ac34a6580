using System.Net.Sockets;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Routing;
using Weft.Proxy.Transport.Interop;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>
/// Streams to endpoints of clusters for what does not run on a loop: one end of a pair of sockets, whose other end is a connection of the loop like any that is passed on as bytes. So the endpoint is
/// chosen and reached, with its TLS, as for everybody else.
/// </summary>
internal sealed class ClusterStreams(LoopServices services)
{
    // A fetch takes seconds.
    private const long IdleMilliseconds = 60_000;

    private readonly TcpAcceptor _acceptor = new(services.Loop, new TcpSettings { Route = _ => null });

    /// <param name="facts">As whom.</param>
    /// <exception cref="IOException">The process has no descriptor left.</exception>
    public async Task<Stream> OpenAsync(Cluster cluster, ConnectionFacts facts, CancellationToken cancellationToken)
    {
        if (SocketCalls.Pair() is not var (own, others))
            throw new IOException("no descriptor is left for a connection");
        var socket = new Socket(new SafeSocketHandle(own, ownsHandle: true));
        try
        {
            // Nobody there, or a limit reached, closes it: the reader sees the end.
            var settings = new TcpSettings { Route = _ => TcpTargets.Of(services, cluster, null, facts), IdleMilliseconds = IdleMilliseconds, MayBePair = true };
            await services.Loop.PostAsync(() => _acceptor.Accept(others, null, settings)).WaitAsync(cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>On the loop.</summary>
    public void Close() => _acceptor.CloseAll();
}
