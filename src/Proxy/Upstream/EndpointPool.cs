using System.Net;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Upstream;

/// <summary>
/// The connections of one loop to one endpoint. Of HTTP/1.1 ones the last used is used next, so that the others grow idle and go; HTTP/2 ones are shared up
/// to the streams that the endpoint allows.
/// </summary>
internal sealed class EndpointPool : IHttp1Pool, IHttp2Pool, IConnectionWatcher, IDisposable
{
    private readonly EventLoop _loop;
    private readonly IPEndPoint _endpoint;
    private readonly PoolOptions _options;
    private readonly Http2Streams _streams;
    private readonly SocketAddress _address;
    private readonly byte[] _host;
    private readonly List<Http1ClientConnection> _idle = [];
    private readonly List<Http2ClientConnection> _http2 = [];
    private readonly Dictionary<Connection, IProtocol?> _all = [];
    private readonly LinkedList<WaitingStream> _waiting = new();
    private readonly Action _serve;
    private bool _serving, _disposed, _isHttp2;

    /// <param name="streams">Of the loop.</param>
    public EndpointPool(EventLoop loop, IPEndPoint address, PoolOptions options, Http2Streams streams)
    {
        (_loop, _endpoint, _options, _streams) = (loop, address, options, streams);
        _address = address.Serialize();
        _host = System.Text.Encoding.ASCII.GetBytes(address.ToString());
        _isHttp2 = options.Protocol == PoolProtocol.Http2;
        _serve = Serve;
    }

    public int Connections => _all.Count;

    public int Idle => _idle.Count;

    public int Waiting => _waiting.Count;

    /// <summary>Connections that were begun.</summary>
    public long Opened { get; private set; }

    /// <summary>
    /// A stream for one request; its connection may still have to be made, and the handler then hears of a failure. Null: the cluster is full and as many as may wait do, or
    /// the machine has no socket left.
    /// </summary>
    public IClientStream? Open(IClientStreamHandler handler)
    {
        if (TryUse(handler) is { } ready)
            return ready;
        if (_disposed)
            return null;
        if (_options.Limits is { } limits && !limits.TryConnect())
        {
            if (!limits.TryWait())
                return null;
            return Wait(handler, counted: true);
        }

        if (Connect() is not { } connection)
        {
            _options.Limits?.Disconnected();
            return null;
        }

        // Where the protocol is known, what is sent waits in the connection itself.
        return _options.Protocol == PoolProtocol.Alpn && _options.Tls is not null ? Wait(handler, counted: false) : Use(connection, _isHttp2, handler);
    }

    public void OnOpen(Connection connection)
    {
        if (_all.GetValueOrDefault(connection) is null)
        {
            _isHttp2 = connection.Tls?.Protocol == "h2";
            Use(connection, _isHttp2, null);
        }

        switch (_all[connection])
        {
            case Http1ClientConnection http1:
                http1.OnConnected();
                if (http1.Requests == 0)
                    OnIdle(http1);
                break;
            case Http2ClientConnection http2:
                http2.LostReason = ResetReason.PeerReset;
                break;
        }

        Serve();
    }

    public void OnGone(Connection connection)
    {
        if (!_all.Remove(connection, out var protocol))
            return;
        _options.Limits?.Disconnected();
        switch (protocol)
        {
            case Http1ClientConnection http1:
                _idle.Remove(http1);
                break;
            case Http2ClientConnection http2:
                _http2.Remove(http2);
                break;
            case null:
                // The handshake failed: who waited for this one hears of it.
                FailOne();
                break;
        }

        ServeLater();
    }

    public void OnIdle(Http1ClientConnection connection)
    {
        if (_disposed || (_options.MaxRequestsPerConnection > 0 && connection.Requests >= _options.MaxRequestsPerConnection)
            || (_options.MaxAgeMilliseconds > 0 && _loop.Now - connection.OpenedAt >= _options.MaxAgeMilliseconds))
        {
            connection.Retire();
            return;
        }

        connection.Transport.SetTimeout(_loop.Now + _options.IdleMilliseconds);
        _idle.Add(connection);
        ServeLater();
    }

    public void OnDone(Http1ClientConnection connection) => _idle.Remove(connection);

    public void OnCapacity(Http2ClientConnection connection) => ServeLater();

    // What is open on it goes on; the connection itself tells when it is gone.
    public void OnDone(Http2ClientConnection connection)
    {
        _http2.Remove(connection);
        ServeLater();
    }

    /// <summary>The endpoint is not used any more: idle connections are closed, others when their requests have ended.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (var connection in _idle.ToArray())
            connection.Retire();
        foreach (var connection in _http2.ToArray())
            connection.Drain();
        foreach (var waiting in _waiting.ToArray())
            GiveUp(waiting, ResetReason.ConnectFailed);
    }

    /// <param name="reason">Null: nobody wants to hear.</param>
    internal void GiveUp(WaitingStream waiting, ResetReason? reason)
    {
        if (_waiting.Remove(waiting) && waiting.IsCounted)
            _options.Limits!.Waited();
        if (reason is { } why)
            waiting.Fail(why);
    }

    private IClientStream? TryUse(IClientStreamHandler handler)
    {
        if (_idle.Count > 0)
        {
            var used = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            used.Begin(handler);
            return used;
        }

        foreach (var shared in _http2)
        {
            if (shared.CanOpen)
                return shared.OpenStream(handler);
        }

        return null;
    }

    private Connection? Connect()
    {
        ITlsEngine? tls;
        try
        {
            tls = _options.Tls?.Invoke(_loop.Buffers);
        }
        catch (Exception unusable) when (unusable is ObjectDisposedException or ArgumentException)
        {
            return null; // a context that has been replaced, or a name that no certificate can have
        }

        var fd = SocketCalls.Connect(_address);
        if (fd < 0)
        {
            tls?.Dispose();
            return null;
        }

        Opened++;
        var connection = new Connection(_loop, fd, _endpoint, connecting: true, tls, this);
        connection.OpenWithin(_options.ConnectMilliseconds);
        _all.Add(connection, null);
        return connection;
    }

    private IClientStream? Use(Connection connection, bool http2, IClientStreamHandler? handler)
    {
        if (http2)
        {
            var shared = new Http2ClientConnection(connection, this, _options.Http2, _streams) { LostReason = ResetReason.ConnectFailed, IsSecure = connection.Tls is not null };
            _all[connection] = shared;
            connection.Protocol = shared;
            _http2.Add(shared);
            shared.Start();
            return handler is null ? null : shared.OpenStream(handler);
        }

        var own = new Http1ClientConnection(connection, this, _options.Http1) { FallbackHost = _host, OpenedAt = _loop.Now };
        _all[connection] = own;
        connection.Protocol = own;
        if (handler is not null)
            own.Begin(handler);
        return handler is null ? null : own;
    }

    private WaitingStream Wait(IClientStreamHandler handler, bool counted)
    {
        var waiting = new WaitingStream(this, _loop, handler, counted ? _options.PendingMilliseconds : 0) { IsCounted = counted };
        _waiting.AddLast(waiting);
        return waiting;
    }

    // A connection is told to be free by a codec that is still at work on the last response: who waits gets it after that.
    private void ServeLater()
    {
        if (_serving || _waiting.Count == 0)
            return;
        _serving = true;
        _loop.Post(_serve);
    }

    private void Serve()
    {
        _serving = false;
        while (_waiting.First is { } first)
        {
            var waiting = first.Value;
            if (TryUse(waiting.Handler!) is { } stream)
            {
                Take(waiting);
                waiting.Attach(stream);
            }
            else if (waiting.IsCounted && _options.Limits!.TryConnect())
            {
                // Room in the cluster: this one waits for a connection of its own now.
                if (Connect() is not { } connection)
                {
                    _options.Limits.Disconnected();
                    return;
                }

                Take(waiting);
                if (_options.Protocol == PoolProtocol.Alpn && _options.Tls is not null)
                    _waiting.AddLast(waiting);
                else
                    waiting.Attach(Use(connection, _isHttp2, waiting.Handler!)!);
                return;
            }
            else
            {
                return;
            }
        }
    }

    private void Take(WaitingStream waiting)
    {
        _waiting.Remove(waiting);
        if (!waiting.IsCounted)
            return;
        waiting.IsCounted = false;
        _options.Limits!.Waited();
    }

    private void FailOne()
    {
        for (var node = _waiting.First; node is not null; node = node.Next)
        {
            if (node.Value.IsCounted)
                continue;
            GiveUp(node.Value, ResetReason.ConnectFailed);
            return;
        }
    }
}
