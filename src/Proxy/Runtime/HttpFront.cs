using System.Net.Sockets;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Downstream;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Routing;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Runtime;

/// <summary>An HTTP listener on one loop.</summary>
internal sealed class HttpFront : IFront
{
    private readonly LoopServices _services;
    private readonly HttpListenerState _state;
    private readonly DownstreamAcceptor _acceptor;
    private readonly PassedTunnels _tunnels;
    private readonly Listener[] _listeners;

    /// <param name="passed">Where connections go that are not opened here; null: there are none.</param>
    public HttpFront(LoopServices services, IEnumerable<Socket> sockets, HttpListenerState state, TlsServerContext? tls, TcpView? passed)
    {
        (_services, _state) = (services, state);
        _tunnels = new PassedTunnels(services, passed);
        _acceptor = new DownstreamAcceptor(services.Loop, Settings(state.Current.Config, tls, Exchanges) with { PassOn = _tunnels.PassOn }, services.Http2Streams, change => services.Metrics.Connections += change);
        _listeners = [.. sockets.Select(socket => new Listener(services.Loop, socket, _acceptor.Accept))];
        _listeners.Keep(KeepAlive.Of(state.Current.Config.KeepAlive));
    }

    public int Connections => _acceptor.Connections;

    public bool IsBusy => _acceptor.IsBusy;

    /// <summary>For connections to come.</summary>
    public void Renew(TlsServerContext? tls, TcpView? passed)
    {
        _tunnels.View = passed;
        _acceptor.Settings = Settings(_state.Current.Config, tls, Exchanges) with { PassOn = _tunnels.PassOn };
        _listeners.Keep(KeepAlive.Of(_state.Current.Config.KeepAlive));
    }

    public void Drain(long milliseconds, DrainReason reason)
    {
        _listeners.Stop(reason);
        _acceptor.Drain(milliseconds, hurry: reason == DrainReason.ProcessEnds);
    }

    public void Close()
    {
        foreach (var listener in _listeners)
            listener.Dispose();
        _acceptor.CloseAll();
    }

    /// <summary>How connections of a listener are accepted.</summary>
    public static AcceptorSettings Settings(ListenerConfig listener, TlsServerContext? tls, Func<Client, IExchangeFactory?> exchanges)
    {
        var http = listener.Http;
        var scheme = tls is null ? "http" : "https";
        return new AcceptorSettings
        {
            Exchanges = exchanges,
            Tls = tls is null ? null : tls.Accept,
            ProxyProtocol = listener.ProxyProtocol,
            AllowHttp1 = http.Http1,
            AllowHttp2 = http.Http2,
            Http1 = new Http1ServerOptions(new Http1Limits(http.MaxRequestLineBytes, http.MaxHeaderBytes, http.MaxHeaders), scheme)
            {
                IdleMilliseconds = (long)http.KeepAliveTimeout.TotalMilliseconds,
                HeadMilliseconds = (long)http.HeaderTimeout.TotalMilliseconds,
                MaxRequests = http.MaxRequestsPerConnection,
            },
            Http2 = new Http2ServerOptions(
                new Http2Limits
                {
                    MaxConcurrentStreams = http.MaxConcurrentStreams,
                    StreamWindow = http.StreamWindowBytes,
                    ConnectionWindow = http.ConnectionWindowBytes,
                    MaxHeaderListSize = http.MaxHeaderBytes,
                    MaxHeaderCount = http.MaxHeaders,
                    IdleMilliseconds = (long)http.KeepAliveTimeout.TotalMilliseconds,
                    FrameMilliseconds = (long)http.HeaderTimeout.TotalMilliseconds,
                },
                scheme)
            {
                MaxRequests = http.MaxRequestsPerConnection,
            },
            MaxAgeMilliseconds = http.MaxConnectionAge > TimeSpan.Zero ? (long)http.MaxConnectionAge.TotalMilliseconds : long.MaxValue,
            HandshakeMilliseconds = (long)(listener.Tls?.HandshakeTimeout ?? TimeSpan.FromSeconds(10)).TotalMilliseconds,
            MaxConnections = listener.MaxConnections,
        };
    }

    private DownstreamConnection Exchanges(Client client)
    {
        var facts = ConnectionFacts.Of(client.Peer, client.Destination, client.Tls, null, client.Tls?.Rules is { AsksClients: true });
        return new DownstreamConnection(_services, _state, facts, client.Http2 ? (byte)20 : (byte)11);
    }
}
