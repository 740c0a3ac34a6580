using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http1;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;
using Weft.Proxy.Upstream;

namespace Weft.Proxy.Runtime;

/// <summary>A listening address on one loop, whose requests go to one endpoint.</summary>
internal sealed class HttpFront : IConnectionWatcher, IDisposable
{
    private readonly LoopServices _services;
    private readonly EndpointPool _pool;
    private readonly Http1ServerOptions _options;
    private readonly Listener _listener;
    private readonly HashSet<Connection> _connections = [];

    public HttpFront(LoopServices services, Socket socket, EndpointPool pool, Http1ServerOptions options)
    {
        (_services, _pool, _options) = (services, pool, options);
        _listener = new(services.Loop, socket, Accept);
    }

    public int Connections => _connections.Count;

    public void OnOpen(Connection connection)
    {
    }

    public void OnGone(Connection connection) => _connections.Remove(connection);

    public void Dispose()
    {
        _listener.Dispose();
        _options.IsDraining = true;
        foreach (var connection in _connections.ToArray())
            connection.Abort();
    }

    private void Accept(int fd, IPEndPoint? peer)
    {
        var connection = new Connection(_services.Loop, fd, peer, connecting: false, watcher: this);
        _connections.Add(connection);
        var codec = new Http1ServerConnection(connection, new DownstreamConnection(_services, _pool, peer), _options);
        connection.Protocol = codec;
        codec.Start();
    }
}
