using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http1;
using Weft.Proxy.Routing;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Runtime;

/// <summary>An HTTP listener on one loop.</summary>
internal sealed class HttpFront : IConnectionWatcher, IDisposable
{
    private readonly LoopServices _services;
    private readonly HttpListenerState _state;
    private readonly Http1ServerOptions _options;
    private readonly Listener _listener;
    private readonly HashSet<Connection> _connections = [];

    public HttpFront(LoopServices services, Socket socket, HttpListenerState state, Http1ServerOptions options)
    {
        (_services, _state, _options) = (services, state, options);
        _listener = new(services.Loop, socket, Accept);
    }

    public int Connections => _connections.Count;

    public void OnOpen(Connection connection)
    {
    }

    public void OnGone(Connection connection)
    {
        _connections.Remove(connection);
        _services.Metrics.Connections--;
    }

    /// <summary>No new connections; those that stand end with their next response.</summary>
    public void Drain()
    {
        _listener.Dispose();
        _options.IsDraining = true;
    }

    public void Dispose()
    {
        Drain();
        foreach (var connection in _connections.ToArray())
            connection.Abort();
    }

    private void Accept(int fd, IPEndPoint? peer)
    {
        var most = _state.Current.Config.MaxConnections;
        var connection = new Connection(_services.Loop, fd, peer, connecting: false, watcher: this);
        _connections.Add(connection);
        _services.Metrics.Connections++;
        if (most > 0 && _connections.Count > most)
        {
            connection.Abort();
            return;
        }

        var facts = new ConnectionFacts { Source = peer ?? new IPEndPoint(IPAddress.None, 0), Destination = connection.LocalEndPoint ?? new IPEndPoint(IPAddress.None, 0) };
        var codec = new Http1ServerConnection(connection, new DownstreamConnection(_services, _state, facts), _options);
        connection.Protocol = codec;
        codec.Start();
    }
}
