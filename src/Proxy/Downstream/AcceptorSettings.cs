using System.Net;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Downstream;

/// <summary>What is known of a client when its first request comes.</summary>
/// <param name="Peer">The client's address: of the socket, or as a trusted balancer said.</param>
/// <param name="Destination">What it dialled, likewise.</param>
/// <param name="Tls">Names and identity; null: no TLS.</param>
/// <param name="Http2">The protocol that was chosen.</param>
internal sealed record Client(IPEndPoint? Peer, IPEndPoint? Destination, ITlsEngine? Tls, Connection Connection, bool Http2);

/// <summary>How the connections of an HTTP listener are accepted.</summary>
internal sealed record AcceptorSettings
{
    /// <summary>Makes what gives the connection's requests their handlers. Null from it: the connection is closed.</summary>
    public required Func<Client, IExchangeFactory?> Exchanges { get; init; }

    /// <summary>The engine of a new connection, on its loop; null: no TLS.</summary>
    public Func<BufferPool, ITlsEngine>? Tls { get; init; }

    /// <summary>
    /// Asked with the server name of each hello (null: none) and where the connection was meant to go, before TLS begins. True: somebody else has the connection now. Null: the hello is not looked at. Only with <see cref="Tls"/>.
    /// </summary>
    public Func<Connection, IPEndPoint?, string?, bool>? PassOn { get; init; }

    public bool ProxyProtocol { get; init; }

    public bool AllowHttp1 { get; init; } = true;

    public bool AllowHttp2 { get; init; } = true;

    public required Http1ServerOptions Http1 { get; init; }

    public required Http2ServerOptions Http2 { get; init; }

    /// <summary>PROXY header and TLS handshake together (nginx' proxy_protocol_timeout and Kestrel's handshake: 10 to 30 s).</summary>
    public long HandshakeMilliseconds { get; init; } = 10_000;

    /// <summary>After so long a client is told to go; long.MaxValue: never.</summary>
    public long MaxAgeMilliseconds { get; init; } = long.MaxValue;

    /// <summary>0: no limit but that of open files.</summary>
    public int MaxConnections { get; init; }

    /// <summary>Connections may be ends of pairs within this process.</summary>
    public bool MayBePair { get; init; }
}
