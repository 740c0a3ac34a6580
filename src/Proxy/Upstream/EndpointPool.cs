using System.Net;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Upstream;

/// <summary>How the connections to a cluster's endpoints are kept.</summary>
/// <param name="ConnectMilliseconds">Envoy's default is 5 s.</param>
/// <param name="IdleMilliseconds">Below what servers of our kind wait (Kestrel 130 s, nginx 75 s, Go's none), so that the proxy closes first.</param>
internal sealed record PoolOptions(long ConnectMilliseconds = 5_000, long IdleMilliseconds = 60_000, int MaxIdle = 1024, int MaxConnections = 16_384)
{
    public Http1Limits Limits { get; init; } = Http1Limits.Default;
}

/// <summary>The HTTP/1.1 connections of one loop to one endpoint. The one used last is used next: the others grow idle and go.</summary>
internal sealed class EndpointPool(EventLoop loop, IPEndPoint address, PoolOptions options) : IHttp1Pool, IConnectionWatcher, IDisposable
{
    private readonly SocketAddress _address = address.Serialize();
    private readonly byte[] _host = System.Text.Encoding.ASCII.GetBytes(address.ToString());
    private readonly List<Http1ClientConnection> _idle = [];
    private readonly HashSet<Http1ClientConnection> _all = [];
    private bool _disposed;

    public int Connections => _all.Count;

    public int Idle => _idle.Count;

    /// <summary>Connections that were made.</summary>
    public long Opened { get; private set; }

    /// <summary>A stream for one request; its connection may still have to be made. Null: there is no room for another, or no socket.</summary>
    public IClientStream? Open(IClientStreamHandler handler)
    {
        if (_idle.Count > 0)
        {
            var used = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            used.Begin(handler);
            return used;
        }

        if (_all.Count >= options.MaxConnections || _disposed)
            return null;
        var fd = SocketCalls.Connect(_address);
        if (fd < 0)
            return null;
        Opened++;
        var connection = new Connection(loop, fd, address, connecting: true, watcher: this);
        var codec = new Http1ClientConnection(connection, this, options.Limits, options.ConnectMilliseconds) { FallbackHost = _host };
        connection.Protocol = codec;
        _all.Add(codec);
        codec.Begin(handler);
        return codec;
    }

    public void OnOpen(Connection connection) => (connection.Protocol as Http1ClientConnection)?.OnConnected();

    public void OnGone(Connection connection)
    {
        // The codec tells by OnDone, which it calls in every case.
    }

    public void OnIdle(Http1ClientConnection connection)
    {
        if (_idle.Count >= options.MaxIdle || _disposed)
        {
            connection.Retire();
            return;
        }

        connection.Transport.SetTimeout(loop.Now + options.IdleMilliseconds);
        _idle.Add(connection);
    }

    public void OnDone(Http1ClientConnection connection)
    {
        _all.Remove(connection);
        _idle.Remove(connection);
    }

    /// <summary>Idle connections are closed; those in use when their response is whole.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (var connection in _idle.ToArray())
            connection.Retire();
    }
}
