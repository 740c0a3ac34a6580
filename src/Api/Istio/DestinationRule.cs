using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>How clients of a host choose endpoints and keep connections to them.</summary>
[Kind("networking.istio.io", "v1", "DestinationRule", ShortNames = ["dr"], Categories = ["istio-io", "networking-istio-io"],
    OlderVersions = ["v1beta1", "v1alpha3"], DefinitionPrefix = "io.istio.networking.v1")]
public sealed record DestinationRule : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The rules.</summary>
    public DestinationRuleSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>The rules of a destination rule.</summary>
public sealed record DestinationRuleSpec
{
    /// <summary>The host: a name or a wildcard. A short name is one of the object's namespace.</summary>
    [Must] public string Host { get; init; } = "";

    /// <summary>Settings for all endpoints.</summary>
    public TrafficPolicy? TrafficPolicy { get; init; }

    /// <summary>Named groups of endpoints.</summary>
    public IReadOnlyList<Subset> Subsets { get; init; } = [];

    /// <summary>Namespaces whose clients the rule is for: "*" for all, "." for the object's own. All by default.</summary>
    [Count(0, VirtualServiceSpec.MostExports)] public IReadOnlyList<string> ExportTo { get; init; } = [];

    /// <summary>Clients that the rule is for, in the object's namespace; all when absent.</summary>
    public PolicySelector? WorkloadSelector { get; init; }
}

/// <summary>The endpoints with these labels, under a name.</summary>
public sealed record Subset
{
    /// <summary>The name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Labels of the endpoints.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = Empty.Strings;

    /// <summary>Settings in place of those of the rule, one by one.</summary>
    public TrafficPolicy? TrafficPolicy { get; init; }
}

/// <summary>Settings for connections to a host.</summary>
public sealed record TrafficPolicy
{
    /// <summary>How endpoints are chosen.</summary>
    public LoadBalancerSettings? LoadBalancer { get; init; }

    /// <summary>Limits of connections and requests.</summary>
    public ConnectionPoolSettings? ConnectionPool { get; init; }

    /// <summary>When endpoints that fail are taken out.</summary>
    public OutlierDetection? OutlierDetection { get; init; }

    /// <summary>TLS towards the host.</summary>
    public ClientTLSSettings? Tls { get; init; }

    /// <summary>Settings of single ports, in place of all those above.</summary>
    public IReadOnlyList<PortTrafficPolicy> PortLevelSettings { get; init; } = [];

    /// <summary>Connections through another proxy.</summary>
    public TunnelSettings? Tunnel { get; init; }

    /// <summary>The client's address is told in front of the bytes.</summary>
    public ProxyProtocolSettings? ProxyProtocol { get; init; }

    /// <summary>Retries at once against the requests in flight.</summary>
    public RetryBudget? RetryBudget { get; init; }
}

/// <summary>Settings of one port.</summary>
public sealed record PortTrafficPolicy
{
    /// <summary>The port.</summary>
    public PortSelector? Port { get; init; }

    /// <summary>How endpoints are chosen.</summary>
    public LoadBalancerSettings? LoadBalancer { get; init; }

    /// <summary>Limits of connections and requests.</summary>
    public ConnectionPoolSettings? ConnectionPool { get; init; }

    /// <summary>When endpoints that fail are taken out.</summary>
    public OutlierDetection? OutlierDetection { get; init; }

    /// <summary>TLS towards the host.</summary>
    public ClientTLSSettings? Tls { get; init; }
}

/// <summary>Connections through another proxy.</summary>
public sealed record TunnelSettings
{
    /// <summary>CONNECT or POST.</summary>
    public string? Protocol { get; init; }

    /// <summary>Host that the tunnel leads to.</summary>
    [Must] public string TargetHost { get; init; } = "";

    /// <summary>Its port.</summary>
    [Must, RangeOf(0, 65535)] public int TargetPort { get; init; }
}

/// <summary>PROXY protocol towards endpoints.</summary>
public sealed record ProxyProtocolSettings
{
    /// <summary>V1 or V2.</summary>
    [OneOf("V1", "V2")] public string? Version { get; init; }
}

/// <summary>Retries at once.</summary>
public sealed record RetryBudget
{
    /// <summary>Of the requests in flight, in percent.</summary>
    public double? Percent { get; init; }

    /// <summary>Allowed in any case.</summary>
    public int? MinRetryConcurrency { get; init; }
}

/// <summary>How endpoints are chosen.</summary>
public sealed record LoadBalancerSettings
{
    /// <summary>A way without settings.</summary>
    [OneOf("UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST")] public string? Simple { get; init; }

    /// <summary>By a hash of the request.</summary>
    public ConsistentHashLB? ConsistentHash { get; init; }

    /// <summary>By where endpoints are.</summary>
    public LocalityLoadBalancerSetting? LocalityLbSetting { get; init; }

    /// <summary>Deprecated: time in which new endpoints get their share by degrees.</summary>
    public string? WarmupDurationSecs { get; init; }

    /// <summary>New endpoints get their share by degrees.</summary>
    public WarmupConfiguration? Warmup { get; init; }
}

/// <summary>By a hash of the request: one of the first four says of what.</summary>
public sealed record ConsistentHashLB
{
    /// <summary>Of a header field.</summary>
    public string? HttpHeaderName { get; init; }

    /// <summary>Of a cookie.</summary>
    public HTTPCookie? HttpCookie { get; init; }

    /// <summary>Of the client's address.</summary>
    public bool? UseSourceIp { get; init; }

    /// <summary>Of a query parameter.</summary>
    public string? HttpQueryParameterName { get; init; }

    /// <summary>On a ring.</summary>
    public RingHash? RingHash { get; init; }

    /// <summary>By a Maglev table.</summary>
    public MagLev? Maglev { get; init; }

    /// <summary>Deprecated: points of the ring.</summary>
    public long? MinimumRingSize { get; init; }
}

/// <summary>A cookie; without it, the proxy makes one if it has a lifetime.</summary>
public sealed record HTTPCookie
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Its path.</summary>
    public string? Path { get; init; }

    /// <summary>How long it lives; 0s: for the session.</summary>
    public string? Ttl { get; init; }

    /// <summary>Further attributes.</summary>
    public IReadOnlyList<CookieAttribute> Attributes { get; init; } = [];
}

/// <summary>An attribute of a cookie.</summary>
public sealed record CookieAttribute
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Its value.</summary>
    public string? Value { get; init; }
}

/// <summary>A ring of hashes.</summary>
public sealed record RingHash
{
    /// <summary>Points of the ring; 1024 by default.</summary>
    public long? MinimumRingSize { get; init; }
}

/// <summary>A Maglev table.</summary>
public sealed record MagLev
{
    /// <summary>A prime; 65537 by default.</summary>
    public long? TableSize { get; init; }
}

/// <summary>New endpoints get their share by degrees.</summary>
public sealed record WarmupConfiguration
{
    /// <summary>The time that it takes.</summary>
    [Must] public string? Duration { get; init; }

    /// <summary>Share at the start, in percent; 10 by default.</summary>
    public double? MinimumPercent { get; init; }

    /// <summary>1: in a straight line.</summary>
    public double? Aggression { get; init; }
}

/// <summary>By where endpoints are: one of distribute, failover and failoverPriority.</summary>
public sealed record LocalityLoadBalancerSetting
{
    /// <summary>Shares by place.</summary>
    public IReadOnlyList<LocalityDistribute> Distribute { get; init; } = [];

    /// <summary>Regions that take over for another.</summary>
    public IReadOnlyList<LocalityFailover> Failover { get; init; } = [];

    /// <summary>Labels in order: endpoints that share more of the client's come first.</summary>
    public IReadOnlyList<string> FailoverPriority { get; init; } = [];

    /// <summary>Whether it counts; by default as the mesh says.</summary>
    public bool? Enabled { get; init; }
}

/// <summary>Shares for clients of a place.</summary>
public sealed record LocalityDistribute
{
    /// <summary>Place of the clients: region/zone/subzone, with * at the end.</summary>
    public string? From { get; init; }

    /// <summary>Percent by place; 100 in sum.</summary>
    public IReadOnlyDictionary<string, int> To { get; init; } = Empty.Map<int>();
}

/// <summary>A region that takes over for another.</summary>
public sealed record LocalityFailover
{
    /// <summary>Region whose endpoints are not well.</summary>
    public string? From { get; init; }

    /// <summary>Region that takes over.</summary>
    public string? To { get; init; }
}

/// <summary>Limits of connections and requests.</summary>
public sealed record ConnectionPoolSettings
{
    /// <summary>Of all connections.</summary>
    public TCPSettings? Tcp { get; init; }

    /// <summary>Of HTTP.</summary>
    public HTTPSettings? Http { get; init; }
}

/// <summary>Limits of connections.</summary>
public sealed record TCPSettings
{
    /// <summary>Connections at once.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>Longest time of connecting; 10s by default.</summary>
    public string? ConnectTimeout { get; init; }

    /// <summary>Probes of idle connections.</summary>
    public TcpKeepalive? TcpKeepalive { get; init; }

    /// <summary>Longest life of a connection.</summary>
    public string? MaxConnectionDuration { get; init; }

    /// <summary>A connection without bytes for so long is closed.</summary>
    public string? IdleTimeout { get; init; }
}

/// <summary>Probes of idle connections.</summary>
public sealed record TcpKeepalive
{
    /// <summary>Probes without an answer that end it.</summary>
    public int? Probes { get; init; }

    /// <summary>Idle time before the first.</summary>
    public string? Time { get; init; }

    /// <summary>Time between them.</summary>
    public string? Interval { get; init; }
}

/// <summary>Limits of HTTP.</summary>
public sealed record HTTPSettings
{
    /// <summary>Requests that wait for a connection.</summary>
    public int? Http1MaxPendingRequests { get; init; }

    /// <summary>Requests in flight.</summary>
    public int? Http2MaxRequests { get; init; }

    /// <summary>A connection is closed after so many; 0: never.</summary>
    public int? MaxRequestsPerConnection { get; init; }

    /// <summary>Retries in flight.</summary>
    public int? MaxRetries { get; init; }

    /// <summary>An unused connection is closed after so long.</summary>
    public string? IdleTimeout { get; init; }

    /// <summary>Whether HTTP/1.1 of clients becomes HTTP/2.</summary>
    [OneOf("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE")] public string? H2UpgradePolicy { get; init; }

    /// <summary>Whether the client's protocol is kept.</summary>
    public bool? UseClientProtocol { get; init; }

    /// <summary>Streams of an HTTP/2 connection at once.</summary>
    public int? MaxConcurrentStreams { get; init; }
}

/// <summary>When endpoints that fail are taken out.</summary>
public sealed record OutlierDetection
{
    /// <summary>Deprecated: as consecutiveGatewayErrors and consecutive5xxErrors.</summary>
    public int? ConsecutiveErrors { get; init; }

    /// <summary>Whether failures to connect are told apart from bad answers.</summary>
    public bool? SplitExternalLocalOriginErrors { get; init; }

    /// <summary>Failures to connect in a row; with the split only.</summary>
    public int? ConsecutiveLocalOriginFailures { get; init; }

    /// <summary>502, 503, 504 in a row; 0: off.</summary>
    public int? ConsecutiveGatewayErrors { get; init; }

    /// <summary>5xx in a row; 5 by default, 0: off.</summary>
    public int? Consecutive5xxErrors { get; init; }

    /// <summary>Time between looks; 10s by default.</summary>
    public string? Interval { get; init; }

    /// <summary>Shortest time out; 30s by default.</summary>
    public string? BaseEjectionTime { get; init; }

    /// <summary>Most endpoints out at once, in percent; 10 by default.</summary>
    public int? MaxEjectionPercent { get; init; }

    /// <summary>With fewer healthy endpoints, in percent, all are used; 0 by default.</summary>
    public int? MinHealthPercent { get; init; }
}

/// <summary>TLS towards a host.</summary>
public sealed record ClientTLSSettings
{
    /// <summary>DISABLE: none; SIMPLE; MUTUAL with an own certificate; ISTIO_MUTUAL with that of the mesh.</summary>
    [OneOf("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL")] public string? Mode { get; init; }

    /// <summary>File with the certificate.</summary>
    public string? ClientCertificate { get; init; }

    /// <summary>File with its key.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>File with the authorities; "system" for the machine's.</summary>
    public string? CaCertificates { get; init; }

    /// <summary>Secret with certificate, key and authorities.</summary>
    public string? CredentialName { get; init; }

    /// <summary>One of them must be in the host's certificate.</summary>
    public IReadOnlyList<string> SubjectAltNames { get; init; } = [];

    /// <summary>Name that is asked for.</summary>
    public string? Sni { get; init; }

    /// <summary>Any certificate will do.</summary>
    public bool? InsecureSkipVerify { get; init; }

    /// <summary>File with revoked certificates.</summary>
    public string? CaCrl { get; init; }
}
