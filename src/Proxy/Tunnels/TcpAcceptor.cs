using System.Net;
using Weft.Proxy.Downstream;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Tunnels;

/// <summary>What a connection is routed by.</summary>
/// <param name="ServerName">Of the hello where it is looked at, or of the TLS that was ended here.</param>
internal sealed record TcpClient(IPEndPoint? Peer, IPEndPoint? Destination, string? ServerName, ITlsEngine? Tls);

/// <summary>Where a connection goes.</summary>
/// <param name="First">Sent before the client's bytes: a PROXY header.</param>
/// <param name="Source">The address that the connection leaves with; null: the machine's own.</param>
/// <param name="Ended">Hears of the end; the tunnel is null when no connection could be made.</param>
internal sealed record TcpTarget(
    IPEndPoint Address, Func<BufferPool, ITlsEngine>? Tls = null, byte[]? First = null, IPAddress? Source = null, KeepAlive KeepAlive = default, Action<TcpTunnel?>? Ended = null)
{
    /// <summary>TCP and TLS together.</summary>
    public long ConnectMilliseconds { get; init; } = 5_000;

    /// <summary>Without a byte in either direction for so long the connection is closed; 0: never. Null: as the listener says.</summary>
    public long? IdleMilliseconds { get; init; }

    /// <summary>Cut when it is so old, whatever passes; 0: at any age.</summary>
    public long MaxAgeMilliseconds { get; init; }

    /// <summary>Where its bytes are counted; null: nowhere.</summary>
    public ConnectionSeries? Series { get; init; }

    /// <summary>As <see cref="Upstream.PoolOptions.Dial"/>.</summary>
    public Func<int>? Dial { get; init; }

    /// <summary>Asked when the connection could not be made, and <see cref="Ended"/> has heard of it: where to try next; null: nowhere.</summary>
    public Func<TcpTarget?>? Next { get; init; }
}

internal sealed record TcpSettings
{
    /// <summary>Null from it: the connection is closed.</summary>
    public required Func<TcpClient, TcpTarget?> Route { get; init; }

    /// <summary>TLS that is ended here.</summary>
    public Func<BufferPool, ITlsEngine>? Tls { get; init; }

    /// <summary>The hello is waited for and its server name looked at; what is no TLS is closed.</summary>
    public bool ReadServerName { get; init; }

    public bool ProxyProtocol { get; init; }

    public long HandshakeMilliseconds { get; init; } = 10_000;

    public long IdleMilliseconds { get; init; } = 3_600_000;

    public int MaxConnections { get; init; }

    /// <summary>Connections may be ends of pairs within this process.</summary>
    public bool MayBePair { get; init; }
}

/// <summary>The connections of one TCP or TLS-passthrough listener on one loop.</summary>
internal sealed class TcpAcceptor(EventLoop loop, TcpSettings settings) : IConnectionWatcher
{
    private readonly Dictionary<Connection, TcpOpening> _openings = [];
    private readonly HashSet<TcpTunnel> _tunnels = [];

    // By the connection to the endpoint that is still being made.
    private readonly Dictionary<Connection, TcpTunnel> _connecting = [];

    public TcpSettings Settings { get; set; } = settings;

    public int Connections => _openings.Count + _tunnels.Count;

    public long Rejected { get; private set; }

    public void Accept(int fd, IPEndPoint? peer) => Accept(fd, peer, Settings);

    /// <summary>By settings of its own.</summary>
    public void Accept(int fd, IPEndPoint? peer, TcpSettings settings)
    {
        if (settings.MaxConnections > 0 && Connections >= settings.MaxConnections)
        {
            Rejected++;
            loop.Sockets.Close(fd);
            return;
        }

        var tlsFirst = settings is { Tls: not null, ProxyProtocol: false };
        var connection = new Connection(loop, fd, peer, connecting: false, tlsFirst ? settings.Tls!(loop.Buffers) : null, this) { HangUpIsLoss = settings.MayBePair };
        var opening = new TcpOpening(this, connection, settings);
        _openings.Add(connection, opening);
        opening.Start();
    }

    public void CloseAll()
    {
        foreach (var tunnel in _tunnels.ToArray())
            tunnel.Close();
        foreach (var (connection, _) in _openings.ToArray())
            connection.Abort();
    }

    /// <summary>Tunnels that lead to one of these addresses, or are about to.</summary>
    public void CloseTo(IReadOnlySet<IPAddress> addresses)
    {
        foreach (var tunnel in _tunnels.Where(tunnel => tunnel.Target is { } target && addresses.Contains(target.Address.Address)).ToArray())
            tunnel.Close();
    }

    public void OnOpen(Connection connection)
    {
        if (_openings.TryGetValue(connection, out var opening))
            opening.Opened();
        else if (_connecting.Remove(connection, out var tunnel))
            tunnel.Connected();
    }

    public void OnGone(Connection connection)
    {
        _openings.Remove(connection);
        // When the tunnel is over already it was the client that did not want to wait.
        if (_connecting.Remove(connection, out var tunnel) && !tunnel.IsOver)
            TryNext(tunnel);
    }

    internal void Join(Connection client, TcpTarget target, TcpSettings of)
    {
        _openings.Remove(client);
        if (Connect(target) is not { } made)
        {
            client.Reset();
            return;
        }

        // What the client sends stays with it until somebody is there who takes it: so it is whole for whoever that will be.
        client.PauseReading();
        var joined = new TcpTunnel(client, made.Connection, of.IdleMilliseconds, tunnel =>
        {
            _tunnels.Remove(tunnel);
            tunnel.Target?.Ended?.Invoke(tunnel);
        }, made.Target);
        _tunnels.Add(joined);
        _connecting.Add(made.Connection, joined);
    }

    private void TryNext(TcpTunnel tunnel)
    {
        if (tunnel.Target?.Next is not { } next)
        {
            tunnel.NeverConnected = true;
            return;
        }

        tunnel.Target.Ended?.Invoke(null);
        tunnel.Target = null;
        if (Connect(next()) is not { } made)
            return;
        tunnel.Replace(made.Connection, made.Target);
        _connecting.Add(made.Connection, tunnel);
    }

    /// <summary>A connection that is being made, to the target or one after it; null: there is none, which each target has heard.</summary>
    private (Connection Connection, TcpTarget Target)? Connect(TcpTarget? target)
    {
        for (; target is not null; target = target.Next?.Invoke())
        {
            if (Begin(target) is { } connection)
                return (connection, target);
            target.Ended?.Invoke(null);
        }

        return null;
    }

    private Connection? Begin(TcpTarget target)
    {
        var fd = target.Dial?.Invoke() ?? SocketCalls.Connect(target.Address.Serialize(), target.Source is { } source ? SocketCalls.AnyPort(source) : null, loop.Mark);
        if (fd < 0)
            return null;
        target.KeepAlive.Apply(fd);
        var upstream = new Connection(loop, fd, target.Address, connecting: true, target.Tls?.Invoke(loop.Buffers), this) { HangUpIsLoss = target.Dial is not null };
        upstream.OpenWithin(target.ConnectMilliseconds);
        if (target.First is { } first)
            upstream.WriteFirst(first);
        return upstream;
    }
}

/// <summary>A connection on its way to its tunnel: PROXY header, then TLS or a look at the hello.</summary>
internal sealed class TcpOpening(TcpAcceptor acceptor, Connection connection, TcpSettings settings) : IProtocol
{
    private IPEndPoint? _destination;
    private bool _readsHeader;

    public void Start()
    {
        _readsHeader = settings.ProxyProtocol;
        connection.OpenWithin(settings.HandshakeMilliseconds);
        if (_readsHeader)
            Read();
        else if (settings.Tls is null)
            Opened();
    }

    public void Opened()
    {
        if (settings.ReadServerName && connection.Tls is null)
            Read();
        else
            Route(connection.Tls?.ServerName);
    }

    public int OnData(ReadOnlySpan<byte> data)
    {
        if (!_readsHeader)
            return ReadHello(data);
        if (!ProxyHeader.TryTake(connection, data, out _destination, out var consumed))
            return consumed;
        _readsHeader = false;
        if (settings.Tls is { } tls)
        {
            connection.StartTls(tls(connection.Loop.Buffers));
            connection.OpenWithin(settings.HandshakeMilliseconds);
            return consumed;
        }

        Opened();
        return connection.Protocol == this ? consumed + ReadHello(data[consumed..]) : consumed;
    }

    public void OnEnd() => connection.Abort();

    public void OnWritable()
    {
    }

    public void OnTimeout() => connection.Abort();

    public void OnClosed()
    {
    }

    private void Read()
    {
        connection.Protocol = this;
        connection.SetTimeout(connection.Now + settings.HandshakeMilliseconds);
    }

    private int ReadHello(ReadOnlySpan<byte> data)
    {
        switch (ClientHello.Read(data, out var name))
        {
            case HelloResult.Done:
                Route(name);
                break;
            case HelloResult.NotTls:
                connection.Abort();
                break;
        }

        return 0; // the hello is the endpoint's to read
    }

    private void Route(string? serverName)
    {
        if (settings.Route(new(connection.Peer, _destination ?? connection.LocalEndPoint, serverName, connection.Tls)) is { } target)
            acceptor.Join(connection, target, settings);
        else
            connection.Reset();
    }
}
