using System.Net;
using System.Net.Sockets;
using Weft.Balancing;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Transport;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Udp;

namespace Weft.Proxy.Runtime;

/// <summary>A UDP listener on one loop: each client is routed once, for as long as its session lasts.</summary>
internal sealed class UdpFront : IFront
{
    private readonly LoopServices _services;
    private readonly UdpRelay[] _relays;
    private readonly IPEndPoint _local;
    private TcpView _view;

    /// <param name="local">The address of all the sockets.</param>
    public UdpFront(LoopServices services, IEnumerable<Socket> sockets, IPEndPoint local, TcpView view)
    {
        (_services, _view, _local) = (services, view, local);
        _relays = [.. sockets.Select(socket => new UdpRelay(services.Loop, socket, Settings()))];
    }

    public int Connections => _relays.Sum(relay => relay.Sessions);

    public bool IsBusy => Connections > 0;

    public void Renew(TcpView view)
    {
        _view = view;
        foreach (var relay in _relays)
            relay.Settings = Settings();
    }

    // A protocol without ends cannot be asked to end: a session that is quiet for an eighth of the time has.
    public void Drain(long milliseconds, DrainReason reason)
    {
        foreach (var relay in _relays)
            relay.Drain(milliseconds / 8, receives: reason != DrainReason.HandedOver);
        new LoopTimer(_services.Loop.Timers, Close).Set(_services.Loop.Now + milliseconds);
    }

    public void Close()
    {
        foreach (var relay in _relays)
            relay.Dispose();
    }

    private UdpSettings Settings() => new(
        Route, (long)_view.Config.UdpSessionTimeout.TotalMilliseconds, _view.Config.MaxConnections > 0 ? _view.Config.MaxConnections : UdpRelay.DefaultMaxSessions);

    private UdpTarget? Route(IPEndPoint client)
    {
        if (_view.Routes.Find(new Tunnels.TcpClient(client, _local, null, null)) is not { } chosen || !_view.Clusters.TryGetValue(chosen.Cluster, out var cluster))
            return null;
        if (cluster.Table(chosen.Subset).Pick(new PickRequest(StableHash.Of(client.Address.GetAddressBytes())), ref _services.Rng, out _) is not { } endpoint)
            return null;
        endpoint.State.Started();
        return new UdpTarget(endpoint.Address, () => endpoint.State.Ended(-1, _services.Loop.Now * 1_000_000));
    }
}
