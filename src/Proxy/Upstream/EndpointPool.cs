using System.Net;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Upstream;

/// <summary>
/// The connections of one loop to one endpoint. Of HTTP/1.1 ones the last used is used next, so that the others grow idle and go; HTTP/2 ones are shared up
/// to the streams that the endpoint allows.
/// </summary>
internal sealed class EndpointPool : IHttp1Pool, IHttp2Pool, IConnectionWatcher, IConnectWaiter, IDisposable
{
    // So many requests of its own a connection still serves while other pools wait for room: one each would make a connection for every request.
    private const int TurnRequests = 16;
    private readonly EventLoop _loop;
    private readonly IPEndPoint _endpoint;
    private readonly PoolOptions _options;
    private readonly Http2Streams _streams;
    private readonly SocketAddress _address;
    private readonly SocketAddress? _source;
    private readonly Action<EndpointPool>? _emptied;
    private readonly byte[] _host;
    private readonly List<Http1ClientConnection> _idle = [];
    private readonly List<Http2ClientConnection> _http2 = [];
    private readonly Dictionary<Connection, IProtocol?> _all = [];

    // For a connection that is being made, whose protocol the handshake will tell; and for room in the cluster, where the pool is enlisted as long as one waits.
    private readonly LinkedList<WaitingStream> _opening = new(), _queue = new();
    private readonly Action _serve, _useGrant, _yield;
    private bool _serving, _disposed, _isHttp2;
    private int _handshakes, _turn, _held, _asked;

    /// <param name="streams">Of the loop.</param>
    /// <param name="emptied">Called when the last connection has gone and nobody waits.</param>
    public EndpointPool(EventLoop loop, IPEndPoint address, PoolOptions options, Http2Streams streams, Action<EndpointPool>? emptied = null)
    {
        _emptied = emptied;
        _source = options.Source is { } source ? SocketCalls.AnyPort(source) : null;
        (_loop, _endpoint, _options, _streams) = (loop, address, options, streams);
        _address = address.Serialize();
        _host = System.Text.Encoding.ASCII.GetBytes(address.ToString());
        _isHttp2 = options.Protocol == PoolProtocol.Http2;
        (_serve, _useGrant, _yield) = (Serve, UseGrant, Yield);
        options.Limits?.Queue.Join(this);
    }

    public int Connections => _all.Count;

    public int Idle => _idle.Count;

    public int Waiting => _opening.Count + _queue.Count;

    /// <summary>Connections that were begun.</summary>
    public long Opened { get; private set; }

    public bool Holds => Volatile.Read(ref _held) > 0;

    private bool IsAlpn => _options.Protocol == PoolProtocol.Alpn && _options.Tls is not null;

    /// <summary>
    /// A stream for one request; its connection may still have to be made, and the handler then hears of a failure. Null: the cluster is full and as many as may wait do, or
    /// the machine has no socket left.
    /// </summary>
    public IClientStream? Open(IClientStreamHandler handler)
    {
        // Who came before goes first.
        if (_queue.Count == 0 && TryUse(handler) is { } ready)
            return ready;
        if (_disposed)
            return null;
        if (_options.Limits is { } limits && (_queue.Count > 0 || !limits.TryConnect()))
            return limits.TryWait() ? WaitForRoom(limits, handler) : null;
        if (Connect() is not { } connection)
        {
            _options.Limits?.Disconnected();
            return null;
        }

        // Where the protocol is known, what is sent waits in the connection itself.
        if (!IsAlpn)
            return Use(connection, _isHttp2, handler);
        var waiting = new WaitingStream(this, _loop, handler, 0);
        _opening.AddLast(waiting);
        return waiting;
    }

    public void OnOpen(Connection connection)
    {
        if (_all.GetValueOrDefault(connection) is null)
        {
            _handshakes--;
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
        Volatile.Write(ref _held, _all.Count);
        switch (protocol)
        {
            case Http1ClientConnection http1:
                _idle.Remove(http1);
                break;
            case Http2ClientConnection http2:
                _http2.Remove(http2);
                break;
            case null:
                _handshakes--;
                // The handshake failed: who waited for this one hears of it, if no other connection has taken its request meanwhile.
                if (_opening.Count > _handshakes)
                    GiveUp(_opening.First!.Value, ResetReason.ConnectFailed);
                break;
        }

        _options.Limits?.Disconnected();
        ServeLater();
        EmptiedPerhaps();
    }

    public void OnIdle(Http1ClientConnection connection)
    {
        if ((_disposed && Waiting == 0) || IsWorn(connection.Requests, connection.OpenedAt) || MakesRoom(unused: Waiting == 0))
        {
            connection.Retire();
            return;
        }

        connection.Transport.SetTimeout(_loop.Now + _options.IdleMilliseconds);
        _idle.Add(connection);
        ServeLater();
    }

    public void OnDone(Http1ClientConnection connection) => _idle.Remove(connection);

    public void OnCapacity(Http2ClientConnection connection)
    {
        if (MakesRoom(unused: connection.Taken == 0 && Waiting == 0))
            _loop.Post(connection.Drain);
        else
            ServeLater();
    }

    // What is open on it goes on; the connection itself tells when it is gone.
    public void OnDone(Http2ClientConnection connection)
    {
        _http2.Remove(connection);
        ServeLater();
    }

    public void Granted() => _loop.Post(_useGrant);

    public void Asked()
    {
        if (Interlocked.Exchange(ref _asked, 1) == 0)
            _loop.Post(_yield);
    }

    /// <summary>The endpoint is not used any more: idle connections are closed, others when their requests have ended. Who waits here is still served.</summary>
    public void Dispose()
    {
        _disposed = true;
        _options.Limits?.Queue.Leave(this);
        _options.Sessions?.Dispose();
        foreach (var connection in _idle.ToArray())
            connection.Retire();
        foreach (var connection in _http2.ToArray())
            connection.Drain();
    }

    /// <param name="reason">Null: nobody wants to hear.</param>
    internal void GiveUp(WaitingStream waiting, ResetReason? reason)
    {
        if (_queue.Remove(waiting))
            LeftQueue();
        else
            _opening.Remove(waiting);
        if (reason is { } why)
            waiting.Fail(why);
        EmptiedPerhaps();
    }

    // A pool of one client only: nobody would ever come back to it.
    private void EmptiedPerhaps()
    {
        if (_all.Count == 0 && Waiting == 0)
            _emptied?.Invoke(this);
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

        for (var i = _http2.Count - 1; i >= 0; i--)
        {
            var shared = _http2[i];
            if (!shared.CanOpen)
                continue;
            if (!IsWorn(shared.Requests, shared.OpenedAt))
                return shared.OpenStream(handler);
            shared.Drain(); // which takes it out of the list when nothing is open on it
        }

        return null;
    }

    private bool IsWorn(int requests, long openedAt) =>
        (_options.MaxRequestsPerConnection > 0 && requests >= _options.MaxRequestsPerConnection) || (_options.MaxAgeMilliseconds > 0 && _loop.Now - openedAt >= _options.MaxAgeMilliseconds);

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

        var fd = _options.Dial?.Invoke() ?? SocketCalls.Connect(_address, _source, _loop.Mark);
        if (fd < 0)
        {
            tls?.Dispose();
            return null;
        }

        Opened++;
        _options.KeepAlive.Apply(fd);
        var connection = new Connection(_loop, fd, _endpoint, connecting: true, tls, this) { HangUpIsLoss = _options.Dial is not null };
        connection.OpenWithin(_options.ConnectMilliseconds);
        if (_options.First is { } first)
            connection.WriteFirst(first);
        _all.Add(connection, null);
        Volatile.Write(ref _held, _all.Count);
        if (IsAlpn)
            _handshakes++;
        return connection;
    }

    private IClientStream? Use(Connection connection, bool http2, IClientStreamHandler? handler)
    {
        if (http2)
        {
            var shared = new Http2ClientConnection(connection, this, _options.Http2, _streams) { LostReason = ResetReason.ConnectFailed, OpenedAt = _loop.Now, IsSecure = connection.Tls is not null };
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

    private WaitingStream WaitForRoom(ClusterLimits limits, IClientStreamHandler handler)
    {
        var waiting = new WaitingStream(this, _loop, handler, _options.PendingMilliseconds);
        _queue.AddLast(waiting);
        if (_queue.Count == 1)
            limits.AwaitConnection(this);
        return waiting;
    }

    private void LeftQueue()
    {
        _options.Limits!.Waited();
        if (_queue.Count == 0)
            _options.Limits.Queue.Withdraw(this);
    }

    // A connection is told to be free by a codec that is still at work on the last response: who waits gets it after that.
    private void ServeLater()
    {
        if (_serving || Waiting == 0)
            return;
        _serving = true;
        _loop.Post(_serve);
    }

    private void Serve()
    {
        _serving = false;
        while ((_opening.First ?? _queue.First)?.Value is { } waiting && TryUse(waiting.Handler!) is { } stream)
        {
            GiveUp(waiting, null);
            waiting.Attach(stream);
        }

        // Who waited may have gone since: other pools asked for room while it was still here.
        if (Waiting == 0 && _options.Limits?.Queue.Count > 0)
            Yield();
    }

    private void UseGrant()
    {
        var limits = _options.Limits!;
        if (_queue.First?.Value is not { } waiting)
        {
            limits.Disconnected();
            return;
        }

        if (Connect() is not { } connection)
        {
            GiveUp(waiting, ResetReason.ConnectFailed);
            limits.Disconnected();
        }
        else
        {
            GiveUp(waiting, null);
            if (IsAlpn)
                _opening.AddLast(waiting);
            else
                waiting.Attach(Use(connection, _isHttp2, waiting.Handler!)!);
        }

        if (_queue.Count > 0)
            limits.AwaitConnection(this);
    }

    /// <summary>Whether a connection is to be given up for other pools of the cluster, which wait for room.</summary>
    private bool MakesRoom(bool unused)
    {
        if (_options.Limits is not { } limits || limits.Queue.Count <= (_queue.Count > 0 ? 1 : 0))
        {
            _turn = 0;
            return false;
        }

        if (_opening.Count > 0 || (!unused && ++_turn < TurnRequests))
            return false;
        _turn = 0;
        if (_queue.Count == 0)
            return true;
        limits.Queue.Withdraw(this);
        limits.Queue.Enlist(this);
        return true;
    }

    private void Yield()
    {
        Volatile.Write(ref _asked, 0);
        while (_idle.Count > 0 && Waiting == 0 && MakesRoom(unused: true))
            _idle[0].Retire();
        foreach (var shared in _http2.ToArray())
        {
            if (shared.Taken == 0 && Waiting == 0 && MakesRoom(unused: true))
                shared.Drain();
        }
    }
}
