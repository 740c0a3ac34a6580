using System.Net.Sockets;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Routing;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Tunnels;
using TcpClient = Weft.Proxy.Tunnels.TcpClient;

namespace Weft.Proxy.Runtime;

/// <summary>A TCP or TLS-passthrough listener on one loop: each connection is routed once, and then only bytes are copied.</summary>
internal sealed class TcpFront : IFront
{
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
        Route = client => Route(_services, _view, client),
        Tls = tls is null ? null : tls.Accept,
        ReadServerName = _view.Config.Kind == ListenerKind.TlsPassthrough,
        ProxyProtocol = _view.Config.ProxyProtocol,
        IdleMilliseconds = (long)_view.Config.IdleTimeout.TotalMilliseconds,
        MaxConnections = _view.Config.MaxConnections,
    };

    /// <returns>Null: nobody is there for it, or it may not.</returns>
    public static TcpTarget? Route(LoopServices services, TcpView view, TcpClient client)
    {
        var facts = ConnectionFacts.Of(client.Peer, client.Destination, client.Tls, client.ServerName, hasClientCertificates: false);
        if (view.Policies is { } policies && !policies.Check(facts, null, null, []).Allowed)
            return null;
        return view.Routes.Find(facts) is { } chosen && view.Clusters.TryGetValue(chosen.Cluster, out var cluster) ? TcpTargets.Of(services, cluster, chosen.Subset, facts) : null;
    }
}
