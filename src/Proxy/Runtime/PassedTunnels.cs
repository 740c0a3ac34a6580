using System.Net;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Runtime;

/// <summary>Connections of an HTTP listener that ask for names whose TLS is not ended here. Their own acceptor keeps account of them: it accepted them. On the loop.</summary>
internal sealed class PassedTunnels
{
    private readonly LoopServices _services;
    private readonly TcpAcceptor _tunnels;
    private TcpView? _view;
    private TlsNames? _names;

    public PassedTunnels(LoopServices services, TcpView? view)
    {
        _services = services;
        _tunnels = new TcpAcceptor(services.Loop, new TcpSettings { Route = _ => null });
        View = view;
    }

    /// <summary>For connections to come.</summary>
    public TcpView? View
    {
        set => (_view, _names) = (value, value is null ? null : TlsNames.Of(value.Config.Tls));
    }

    /// <summary>Null: nothing is passed on, and no hello needs to be looked at.</summary>
    public Func<Connection, IPEndPoint?, string?, bool>? PassOn => _names is null ? null : Take;

    private bool Take(Connection connection, IPEndPoint? destination, string? serverName)
    {
        if (_view is not { } view || _names?.IsPassedOn(serverName) != true)
            return false;
        if (TcpFront.Route(_services, view, new(connection.Peer, destination ?? connection.LocalEndPoint, serverName, null)) is { } target)
            _tunnels.Join(connection, target, _tunnels.Settings with { IdleMilliseconds = (long)view.Config.IdleTimeout.TotalMilliseconds });
        else
            connection.Reset();
        return true;
    }
}
