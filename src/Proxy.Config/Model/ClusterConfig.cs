using Weft.Balancing;
using Weft.Balancing.Health;
using Weft.Balancing.Localities;

namespace Weft.Proxy.Config.Model;

public enum UpstreamProtocol
{
    Http1,
    /// <summary>By prior knowledge where there is no TLS.</summary>
    Http2,
    /// <summary>By ALPN over TLS; without TLS, HTTP/2 for gRPC and HTTP/1.1 for the rest.</summary>
    Auto,
    /// <summary>By ALPN over TLS; without TLS, what the client speaks.</summary>
    Client,
}

public enum ProxyProtocolVersion { None, V1, V2 }

/// <summary>Endpoints that do the same. Its connections live on while another configuration has it with equal connection settings.</summary>
public sealed record ClusterConfig
{
    public string Name { get; init; } = "";

    public ValueList<EndpointConfig> Endpoints { get; init; } = [];

    /// <summary>Endpoints by name, beside those that are listed.</summary>
    public DnsDiscovery? Dns { get; init; }

    public LoadBalancer LoadBalancer { get; init; } = new LeastRequestBalancer();

    public ValueList<SubsetConfig> Subsets { get; init; } = [];

    public LocalityPolicy Locality { get; init; } = LocalityPolicy.Off;

    /// <summary>Below this percentage of healthy endpoints all are used: better some errors than a rush on the rest. Envoy's 50; 0: never.</summary>
    public int PanicThreshold { get; init; } = PriorityLoad.PanicThreshold;

    public SlowStartPolicy? SlowStart { get; init; }

    /// <summary>Weights fall with the success ratio; null: only ejection.</summary>
    public HealthWeight? HealthWeight { get; init; }

    public UpstreamProtocol Protocol { get; init; } = UpstreamProtocol.Auto;

    public UpstreamTls? Tls { get; init; }

    /// <summary>Envoy's is 5 s, Istio's 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public PoolLimits Limits { get; init; } = PoolLimits.Default;

    public RetryBudget RetryBudget { get; init; } = new();

    public TcpKeepAlive? KeepAlive { get; init; } = new();

    public OutlierSettings? Outliers { get; init; }

    public ValueList<HealthCheckConfig> HealthChecks { get; init; } = [];

    /// <summary>The client's address is told to the endpoint in front of its bytes.</summary>
    public ProxyProtocolVersion ProxyProtocol { get; init; }

    /// <summary>Connections leave with the client's own address (needs IP_TRANSPARENT and routes back); pools are apart for each.</summary>
    public bool PreserveSource { get; init; }

    /// <summary>Adapts the number of requests in flight to the latency that is seen; what is above is answered 503. Null: only <see cref="PoolLimits.MaxRequests"/>.</summary>
    public AdaptiveConcurrency? AdaptiveConcurrency { get; init; }
}

public sealed record EndpointConfig
{
    /// <summary>An IP address; or a name, each of whose addresses is an endpoint like this one, as the system resolves it.</summary>
    public string Address { get; init; } = "";

    public int Port { get; init; }

    public int Weight { get; init; } = 1;

    public int Priority { get; init; }

    public Locality Locality { get; init; }

    /// <summary>Node that it runs on, where that counts.</summary>
    public string? Node { get; init; }

    /// <summary>What subsets choose by.</summary>
    public ValueMap Labels { get; init; }

    /// <summary>For SNI and rewritten hosts; null: the address, or the name in its place.</summary>
    public string? HostName { get; init; }

    /// <summary>Takes what it has and nothing new.</summary>
    public bool Draining { get; init; }

    /// <summary>Who must answer (`spiffe://...`), where TLS is spoken; null: whom the cluster's TLS says.</summary>
    public string? Identity { get; init; }
}

/// <param name="Port">Of A and AAAA answers; SRV answers have their own.</param>
public sealed record DnsDiscovery(string Name, int Port = 0)
{
    /// <summary>SRV records: priority, weight and port come from them (RFC 2782), and their targets are the endpoints' host names.</summary>
    public bool Srv { get; init; }

    /// <summary>How long an answer is good that does not say so: of the system's resolver, or with a time to live of 0 (Envoy's dns_refresh_rate). And after a failure.</summary>
    public TimeSpan Refresh { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>`address:port`, or an address alone; none: those of the system.</summary>
    public ValueList<string> Servers { get; init; } = [];
}

/// <summary>The endpoints with these labels, under a name that routes call. Null settings are the cluster's.</summary>
public sealed record SubsetConfig
{
    public string Name { get; init; } = "";

    public ValueMap Labels { get; init; }

    public LoadBalancer? LoadBalancer { get; init; }

    public PoolLimits? Limits { get; init; }

    public OutlierSettings? Outliers { get; init; }
}

public sealed record LocalityPolicy
{
    public static readonly LocalityPolicy Off = new();

    /// <summary>Near endpoints first, those far when the near ones are not well.</summary>
    public bool Failover { get; init; }

    public ValueList<RegionFailover> Regions { get; init; } = [];

    /// <summary>In place of failover: shares by locality, for clients of one locality (Istio's `distribute`).</summary>
    public ValueList<LocalityWeights> Distribute { get; init; } = [];
}

/// <param name="From">`region/zone/*`: clients of these places. The first that matches decides.</param>
/// <param name="To">Their weights together are 100; places that are not named get nothing.</param>
public sealed record LocalityWeights(string From, ValueList<LocalityWeight> To);

public sealed record LocalityWeight(string Locality, int Weight);

/// <summary>New endpoints get their weight by degrees.</summary>
/// <param name="Aggression">1: in a straight line.</param>
/// <param name="Least">Share at the start: Envoy's 10 %.</param>
public sealed record SlowStartPolicy(TimeSpan Window, double Aggression = 1, double Least = 0.1);

/// <summary>TCP's own probes on idle connections. Linux' defaults are 2 h, 75 s, 9: too late to notice a machine that has gone.</summary>
public sealed record TcpKeepAlive
{
    /// <summary>Zero: none are sent.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    public int Probes { get; init; } = 3;
}

/// <summary>Limits for all loops together. Envoy's defaults of 1,024 are Istio's 2^32-1; these are high enough to be met only when something is wrong.</summary>
public sealed record PoolLimits
{
    public static readonly PoolLimits Default = new();

    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Requests that wait for a connection.</summary>
    public int MaxPending { get; init; } = 1024;

    /// <summary>Requests in flight.</summary>
    public int MaxRequests { get; init; } = 100_000;

    /// <summary>A connection is closed after so many; 0: never.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary>Retries in flight, beside the budget; 0: only the budget.</summary>
    public int MaxRetries { get; init; }

    /// <summary>Streams of an HTTP/2 connection at once, below what the endpoint allows.</summary>
    public int MaxStreams { get; init; } = 1024;

    /// <summary>An unused connection is closed after so long: below the 75 s of nginx and the 60 s of many servers, whose close would meet a request.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(50);

    /// <summary>Of connections for requests, which end when nobody uses them, and of tunnels, which are cut. Zero: any age.</summary>
    public TimeSpan MaxConnectionAge { get; init; }

    /// <summary>A tunnel without a byte in either direction for so long is closed; zero: never. Null: as the listener says.</summary>
    public TimeSpan? TunnelIdleTimeout { get; init; }

    /// <summary>How long a request waits for a connection; zero: as long as the route's time-out.</summary>
    public TimeSpan PendingTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>The gradient of Netflix and Envoy (`GradientLimit`). The numbers are Envoy's.</summary>
/// <param name="Least">Never below so many requests in flight; so many are allowed while the ideal latency is measured.</param>
public sealed record AdaptiveConcurrency(int Least = 3, int Most = 1000)
{
    /// <summary>How often the limit is adapted.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Latency above the best that is no reason to slow down: Envoy's buffer of 25 %.</summary>
    public double Tolerance { get; init; } = 0.25;

    /// <summary>How often the ideal latency is measured anew.</summary>
    public TimeSpan MeasureEvery { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Of how many requests.</summary>
    public int MeasureRequests { get; init; } = 50;
}
