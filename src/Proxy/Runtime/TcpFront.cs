using System.Net;
using System.Net.Sockets;
using Weft.Balancing;
using Weft.Balancing.Health;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Downstream;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstream;
using Weft.Proxy.Upstream.Clusters;
using TcpClient = Weft.Proxy.Tunnels.TcpClient;

namespace Weft.Proxy.Runtime;

/// <summary>A TCP or TLS-passthrough listener on one loop: each connection is routed once, and then only bytes are copied.</summary>
internal sealed class TcpFront : IFront
{
    // Endpoints that are tried before a client is told that nobody is there: as many as Envoy's max_connect_attempts may be worth, each for its connect time-out.
    private const int MostTries = 3;

    private readonly LoopServices _services;
    private readonly TcpAcceptor _acceptor;
    private readonly Listener[] _listeners;
    private TcpView _view;

    public TcpFront(LoopServices services, IEnumerable<Socket> sockets, TcpView view, TlsServerContext? tls)
    {
        (_services, _view) = (services, view);
        _acceptor = new TcpAcceptor(services.Loop, Settings(tls));
        _listeners = [.. sockets.Select(socket => new Listener(services.Loop, socket, _acceptor.Accept))];
        _listeners.Keep(KeepAlive.Of(view.Config.KeepAlive));
    }

    public int Connections => _acceptor.Connections;

    public bool IsBusy => Connections > 0;

    /// <summary>For connections to come.</summary>
    public void Renew(TcpView view, TlsServerContext? tls)
    {
        _view = view;
        _acceptor.Settings = Settings(tls);
        _listeners.Keep(KeepAlive.Of(view.Config.KeepAlive));
    }

    // Bytes cannot be told to end: what is open goes on until the deadline.
    public void Drain(long milliseconds, DrainReason reason)
    {
        _listeners.Stop(reason);
        new LoopTimer(_services.Loop.Timers, _acceptor.CloseAll).Set(_services.Loop.Now + milliseconds);
    }

    public void Close()
    {
        foreach (var listener in _listeners)
            listener.Dispose();
        _acceptor.CloseAll();
    }

    private TcpSettings Settings(TlsServerContext? tls) => new()
    {
        Route = Route,
        Tls = tls is null ? null : tls.Accept,
        ReadServerName = _view.Config.Kind == ListenerKind.TlsPassthrough,
        ProxyProtocol = _view.Config.ProxyProtocol,
        IdleMilliseconds = (long)_view.Config.IdleTimeout.TotalMilliseconds,
        MaxConnections = _view.Config.MaxConnections,
    };

    private TcpTarget? Route(TcpClient client)
    {
        return _view.Routes.Find(client) is { } chosen && _view.Clusters.TryGetValue(chosen.Cluster, out var cluster) ? Target(client, cluster, chosen.Subset, default, MostTries) : null;
    }

    private TcpTarget? Target(TcpClient client, Cluster cluster, string? subset, TriedEndpoints tried, int tries)
    {
        if (!cluster.Limits.TryConnect())
            return null;
        var hash = client.Peer is { } peer ? StableHash.Of(peer.Address.GetAddressBytes()) : 0;
        if (cluster.Table(subset).Pick(new PickRequest(hash) { Tried = tried }, ref _services.Rng, out var index) is not { } endpoint)
        {
            cluster.Limits.Disconnected();
            return null;
        }

        endpoint.State.Started();
        var way = cluster.Way;
        var first = way.ProxyProtocol == ProxyProtocolVersion.None ? null : ProxyHeader.Of(way.ProxyProtocol, client.Peer, client.Destination);
        return new TcpTarget(endpoint.Address, Upstreams.TlsOf(way, endpoint), first, way.PreserveSource ? client.Peer?.Address : null, way.KeepAlive, tunnel =>
        {
            cluster.Limits.Disconnected();
            endpoint.State.Ended(-1, _services.Loop.Now * 1_000_000);
            // A connection that was made and never answered says nothing: the client may have left before it was its turn.
            cluster.Report(
                endpoint, tunnel is { Received: > 0 } ? AttemptOutcome.Success : tunnel is null or { NeverConnected: true } ? AttemptOutcome.LocalError : AttemptOutcome.Neutral, _services.Number);
        })
        {
            ConnectMilliseconds = (long)way.ConnectTimeout.TotalMilliseconds,
            Next = tries > 1 ? () => Target(client, cluster, subset, tried.With(index), tries - 1) : null,
        };
    }
}
