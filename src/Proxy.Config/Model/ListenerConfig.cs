namespace Weft.Proxy.Config.Model;

public enum ListenerKind
{
    /// <summary>HTTP/1.1 and HTTP/2, with or without TLS.</summary>
    Http,
    /// <summary>Bytes, after TLS where it is ended here.</summary>
    Tcp,
    /// <summary>TLS that is not ended here: the server name chooses the cluster.</summary>
    TlsPassthrough,
    Udp,
}

/// <summary>An address that the proxy is reached at. Its socket stays open while another configuration has an equal name, address, port and kind.</summary>
public sealed record ListenerConfig
{
    public string Name { get; init; } = "";

    /// <summary>An IP address; `0.0.0.0` or `::` for all.</summary>
    public string Address { get; init; } = "0.0.0.0";

    /// <summary>0: the kernel chooses one.</summary>
    public int Port { get; init; }

    public ListenerKind Kind { get; init; } = ListenerKind.Http;

    /// <summary>TLS that is ended here; null: none.</summary>
    public ListenerTls? Tls { get; init; }

    /// <summary>A PROXY protocol header (version 1 or 2) must come first; its addresses are believed. Only behind a balancer that writes it.</summary>
    public bool ProxyProtocol { get; init; }

    /// <summary>Takes connections that were meant for other addresses (IP_TRANSPARENT), as the mesh captures them: what they were meant for is their destination.</summary>
    public bool Transparent { get; init; }

    /// <summary>Connections at once; more are closed at once. 0: no limit but that of open files.</summary>
    public int MaxConnections { get; init; }

    /// <summary>TCP's probes of clients; null: none.</summary>
    public TcpKeepAlive? KeepAlive { get; init; } = new();

    public HttpSettings Http { get; init; } = HttpSettings.Default;

    /// <summary>Route table of an HTTP listener.</summary>
    public string? RouteTable { get; init; }

    /// <summary>Where connections go that no rule of <see cref="ConnectionRoutes"/> takes; null: they are closed. On an HTTP listener: requests that no route takes.</summary>
    public string? DefaultCluster { get; init; }

    /// <summary>Rules for connections, the first that matches decides. On an HTTP listener: for <see cref="ListenerTls.Passthrough"/>.</summary>
    public ValueList<ConnectionRoute> ConnectionRoutes { get; init; } = [];

    /// <summary>A TCP connection or UDP session without a byte in either direction for so long is closed; zero: never. Envoy: 1 h for TCP; UDP sessions have their own.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A UDP session ends so long after its last datagram (Envoy's udp_proxy: 1 min).</summary>
    public TimeSpan UdpSessionTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What all routes of the listener go through before their own filters; of a TCP listener only <see cref="AuthorizationFilter"/>.</summary>
    public ValueList<FilterConfig> Filters { get; init; } = [];
}

/// <summary>Where connections go. All conditions that are given must hold.</summary>
public sealed record ConnectionRoute
{
    /// <summary>Names that the client asked for in its TLS hello: `a.example`, `*.example`, `*`.</summary>
    public ValueList<string> ServerNames { get; init; } = [];

    public ValueList<int> Ports { get; init; } = [];

    /// <summary>Address ranges that the connection was meant for.</summary>
    public ValueList<string> DestinationRanges { get; init; } = [];

    public SourceMatch Source { get; init; } = SourceMatch.Any;

    public ValueList<WeightedCluster> Clusters { get; init; } = [];
}

/// <summary>Who sends. All conditions that are given must hold.</summary>
public sealed record SourceMatch
{
    public static readonly SourceMatch Any = new();

    /// <summary>Identities (`spiffe://...`) of the verified certificate or of the captured pod.</summary>
    public ValueList<StringMatch> Identities { get; init; } = [];

    public ValueList<string> Namespaces { get; init; } = [];

    public ValueMap Labels { get; init; }

    public ValueList<string> Ranges { get; init; } = [];
}
