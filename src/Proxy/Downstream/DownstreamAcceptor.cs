using System.Net;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Downstream;

/// <summary>Brings accepted sockets of one listener on one loop to the point where a codec reads requests, and keeps account of them to the end.</summary>
/// <param name="counted">Hears of each connection that comes (1) and goes (-1).</param>
internal sealed class DownstreamAcceptor(EventLoop loop, AcceptorSettings settings, Http2Streams streams, Action<int>? counted = null) : IConnectionWatcher
{
    private readonly Dictionary<Connection, DownstreamOpening> _connections = [];
    private AcceptorSettings _settings = settings;
    private LoopTimer? _deadline;
    private uint _accepted;

    public int Connections => _connections.Count;

    /// <summary>Somebody is there who is not only waited for to hear of the close.</summary>
    public bool IsBusy => _connections.Keys.Any(connection => !connection.IsClosed);

    /// <summary>Closed at once, because there were as many as may be.</summary>
    public long Rejected { get; private set; }

    public EventLoop Loop => loop;

    /// <summary>For connections to come. Those that stand keep what they were accepted with.</summary>
    public AcceptorSettings Settings
    {
        get => _settings;
        set => _settings = value;
    }

    /// <summary>Takes an accepted, non-blocking socket.</summary>
    public void Accept(int fd, IPEndPoint? peer) => Accept(fd, peer, _settings);

    /// <summary>By settings of its own.</summary>
    public void Accept(int fd, IPEndPoint? peer, AcceptorSettings settings)
    {
        if (settings.MaxConnections > 0 && _connections.Count >= settings.MaxConnections)
        {
            Rejected++;
            loop.Sockets.Close(fd);
            return;
        }

        var tlsFirst = settings is { Tls: not null, ProxyProtocol: false, PassOn: null };
        var connection = new Connection(loop, fd, peer, connecting: false, tlsFirst ? settings.Tls!(loop.Buffers) : null, this) { HangUpIsLoss = settings.MayBePair };
        var opening = new DownstreamOpening(connection, settings, streams, _accepted++);
        _connections.Add(connection, opening);
        counted?.Invoke(1);
        opening.Start();
    }

    /// <summary>
    /// The listener ends. HTTP/1.1 clients are told with their next response, HTTP/2 ones by GOAWAY at once; what is open at the deadline is closed, with what is under way.
    /// </summary>
    /// <param name="hurry">Clients that do not ask for anything are not waited for until near the deadline.</param>
    public void Drain(long milliseconds, bool hurry)
    {
        // At an end, a tenth of the time is what a user waits for without asking why; without hurry nearly every client asks once in all of it, and is told.
        // Spread, so that not all connect anew in one moment.
        var (first, last) = hurry ? (milliseconds / 16, milliseconds / 8) : (milliseconds / 2, milliseconds * 15 / 16);
        first = Math.Max(first, Math.Min(ShortestQuietMilliseconds, milliseconds / 2));
        last = Math.Max(last, first);
        foreach (var (_, opening) in _connections.ToArray())
            opening.Drain(Spread.Over(first, last, opening.Number));
        _deadline ??= new(loop.Timers, CloseAll);
        _deadline.Set(loop.Now + milliseconds);
    }

    public void CloseAll()
    {
        foreach (var (connection, opening) in _connections.ToArray())
        {
            if (!opening.CloseIdle())
                connection.Drop();
        }
    }

    /// <summary>Connections that were made to one of these addresses.</summary>
    public void CloseMeantFor(IReadOnlySet<IPAddress> addresses)
    {
        foreach (var connection in _connections.Keys.Where(connection => connection.LocalEndPoint is { } meant && addresses.Contains(meant.Address.Plain())).ToArray())
            connection.Drop();
    }

    public void OnOpen(Connection connection) => _connections[connection].Opened();

    public void OnGone(Connection connection)
    {
        if (!_connections.Remove(connection, out var opening))
            return;
        opening.Gone();
        counted?.Invoke(-1);
    }

    // A client in the middle of a page asks again within so much.
    private const long ShortestQuietMilliseconds = 250;
}

internal static class Spread
{
    // 2^32 divided by the golden ratio: multiples of it fill any interval evenly, however many there are.
    private const uint Golden = 2_654_435_769;

    /// <summary>A value for the connection of this number, so that those of all are spread evenly.</summary>
    public static long Over(long first, long last, uint number) => first + (long)((last - first) * (unchecked(number * Golden) / 4294967296.0));
}

/// <summary>A connection on its way to its codec: PROXY header, then TLS, then the choice of the protocol.</summary>
/// <param name="number">Of the connection, counted by its acceptor.</param>
internal sealed class DownstreamOpening(Connection connection, AcceptorSettings settings, Http2Streams streams, uint number) : IProtocol
{
    // Enough to tell: no method begins like this, and "PRI" is none that HTTP/1.1 may use (RFC 9113 section 3.4).
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n"u8;

    private IPEndPoint? _destination;
    private bool _readsHeader, _readsHello;
    // Envoy's drain_timeout: so long after its end of age an idle connection stays to be told.
    private const long QuietOfAgeMilliseconds = 5_000;

    private Http1ServerConnection? _http1;
    private Http2ServerConnection? _http2;
    private LoopTimer? _age;
    private long _quiet = long.MaxValue;

    public uint Number => number;

    public void Gone() => _age?.Dispose();

    public void Start()
    {
        _readsHeader = settings.ProxyProtocol;
        _readsHello = settings is { Tls: not null, PassOn: not null };
        connection.OpenWithin(settings.HandshakeMilliseconds);
        if (_readsHeader || _readsHello)
        {
            connection.Protocol = this;
            connection.SetTimeout(connection.Now + settings.HandshakeMilliseconds);
        }
        else if (settings.Tls is null)
        {
            Opened();
        }
    }

    /// <summary>Bytes from here on are the client's own, in the clear.</summary>
    public void Opened()
    {
        connection.SetTimeout(long.MaxValue);
        if (connection.Tls is { } tls)
        {
            Choose(http2: tls.Protocol == "h2");
            return;
        }

        if (settings is { AllowHttp1: true, AllowHttp2: true })
        {
            connection.Protocol = this;
            connection.SetTimeout(connection.Now + settings.Http1.HeadMilliseconds);
        }
        else
        {
            Choose(http2: settings.AllowHttp2);
        }
    }

    /// <summary>One that has not come to its codec yet has a request on its way: it is served, and told with that.</summary>
    public void Drain(long quietMilliseconds)
    {
        _quiet = quietMilliseconds;
        _http1?.DrainSoon(quietMilliseconds);
        _http2?.Drain();
        if (ReferenceEquals(connection.Protocol, this))
            connection.SetTimeout(connection.Now + quietMilliseconds);
    }

    /// <summary>False: there is something under way.</summary>
    public bool CloseIdle()
    {
        if (_http1 is not { IsIdle: true })
            return false;
        _http1.CloseIdle();
        return true;
    }

    public int OnData(ReadOnlySpan<byte> data)
    {
        if (_readsHeader)
            return ReadHeader(data);
        if (_readsHello)
            return ReadHello(data);
        var known = Math.Min(data.Length, Preface.Length);
        if (!data[..known].SequenceEqual(Preface[..known]))
            Choose(http2: false);
        else if (known == Preface.Length)
            Choose(http2: true);
        return 0;
    }

    public void OnEnd() => connection.Abort();

    public void OnWritable()
    {
    }

    public void OnTimeout()
    {
        if (_quiet != long.MaxValue && connection.HasUnread)
            connection.SetTimeout(connection.Now + settings.HandshakeMilliseconds);
        else
            connection.Abort();
    }

    public void OnClosed()
    {
    }

    private int ReadHeader(ReadOnlySpan<byte> data)
    {
        if (!ProxyHeader.TryTake(connection, data, out _destination, out var consumed))
            return consumed;
        _readsHeader = false;
        if (_readsHello)
            return consumed + ReadHello(data[consumed..]);
        if (settings.Tls is { } tls)
        {
            StartTls(tls);
        }
        else
        {
            Opened();
            // The choice may fall on bytes that are here already.
            if (connection.Protocol == this)
                return consumed + OnData(data[consumed..]);
        }

        return consumed;
    }

    private int ReadHello(ReadOnlySpan<byte> data)
    {
        switch (ClientHello.Read(data, out var name))
        {
            case HelloResult.Done when settings.PassOn!(connection, _destination, name):
                break;
            case HelloResult.Done:
                _readsHello = false;
                StartTls(settings.Tls!);
                break;
            case HelloResult.NotTls:
                connection.Abort();
                break;
        }

        return 0; // the hello is read by whoever goes on with it
    }

    private void StartTls(Func<BufferPool, ITlsEngine> tls)
    {
        connection.StartTls(tls(connection.Loop.Buffers));
        connection.OpenWithin(settings.HandshakeMilliseconds);
        connection.SetTimeout(long.MaxValue);
    }

    // A tenth more or less (as gRPC's MAX_CONNECTION_AGE), so that clients that came together do not come back together.
    private void StartAge()
    {
        var age = settings.MaxAgeMilliseconds;
        if (age == long.MaxValue)
            return;
        _age = new(connection.Loop.Timers, () => Drain(QuietOfAgeMilliseconds));
        _age.Set(connection.Now + Spread.Over(age - (age / 10), age + (age / 10), number));
    }

    private void Choose(bool http2)
    {
        var exchanges = (http2 ? settings.AllowHttp2 : settings.AllowHttp1)
            ? settings.Exchanges(new(connection.Peer, _destination ?? connection.LocalEndPoint, connection.Tls, connection, http2))
            : null;
        if (exchanges is null)
        {
            connection.Abort();
            return;
        }

        if (http2)
        {
            _http2 = new(connection, exchanges, settings.Http2, streams);
            connection.Protocol = _http2;
            _http2.Start();
            if (_quiet != long.MaxValue)
                _http2.Drain();
        }
        else
        {
            _http1 = new(connection, exchanges, settings.Http1);
            connection.Protocol = _http1;
            _http1.Start();
            if (_quiet != long.MaxValue)
                _http1.DrainSoon(_quiet);
        }

        StartAge();
    }
}
