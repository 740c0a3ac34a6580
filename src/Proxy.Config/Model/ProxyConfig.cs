namespace Weft.Proxy.Config.Model;

/// <summary>
/// All that a proxy is told. Whoever makes it (a file, the mesh's compiler, the front door) makes it whole; the validator of `Weft.Proxy` says what is wrong with it.
/// Parts name each other by name. Durations of zero mean "no limit" and shares are fractions of 1 throughout.
/// </summary>
public sealed record ProxyConfig
{
    public static readonly ProxyConfig Empty = new();

    public ValueList<ListenerConfig> Listeners { get; init; } = [];

    public ValueList<RouteTableConfig> RouteTables { get; init; } = [];

    public ValueList<ClusterConfig> Clusters { get; init; } = [];

    public ValueList<CertificateConfig> Certificates { get; init; } = [];

    public ValueList<JwtProviderConfig> JwtProviders { get; init; } = [];

    /// <summary>Metrics, health and the running configuration; null: none.</summary>
    public AdminConfig? Admin { get; init; }

    public AccessLogConfig AccessLog { get; init; } = new();

    public TracingConfig? Tracing { get; init; }

    /// <summary>Where this proxy runs: what is near goes before what is far.</summary>
    public Balancing.Locality Locality { get; init; }

    /// <summary>How long open exchanges may go on when a listener goes away or the proxy ends. Half of Kubernetes' grace of 30 s, so that it is over before the kill.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A process one of whose event loops has not turned for so long is ended, so that another takes its place. In whole seconds, rounded up; zero: it is never.</summary>
    public TimeSpan LoopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bounds beyond which new HTTP requests are refused; null: none.</summary>
    public OverloadConfig? Overload { get; init; }

    /// <summary>Event loops; 0: one for each core.</summary>
    public int Loops { get; init; }
}

/// <param name="Address">Loopback by default: what is said here is not for everybody.</param>
/// <param name="Port">Envoy's admin port of Istio's sidecars.</param>
public sealed record AdminConfig(string Address = "127.0.0.1", int Port = 15000);

/// <summary>What the proxy takes on at most. A request above it is answered 503 with Retry-After, so that those under way end well. Zero: no bound.</summary>
public sealed record OverloadConfig
{
    /// <summary>Requests under way, of all listeners.</summary>
    public int MaxRequests { get; init; }

    /// <summary>That the process takes.</summary>
    public long MaxMemoryBytes { get; init; }

    /// <summary>How long an event loop lets what has come wait for its turn: the sign of a processor that is not enough.</summary>
    public TimeSpan MaxLoopDelay { get; init; }

    /// <summary>What clients are told to wait.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);
}

public enum AccessLogFormat { Json, Text }

public sealed record AccessLogConfig
{
    public bool Enabled { get; init; } = true;

    /// <summary>A file; null: standard output.</summary>
    public string? File { get; init; }

    public AccessLogFormat Format { get; init; } = AccessLogFormat.Json;

    /// <summary>Of lines of text, in the operators of Envoy's log: `%REQ(:METHOD)% %RESPONSE_CODE%`; null: Istio's default.</summary>
    public string? Template { get; init; }

    /// <summary>Share of the requests that succeed which is written; those that fail always are.</summary>
    public double Fraction { get; init; } = 1;
}

/// <summary>Spans of requests, sent by OTLP over HTTP. Without it traces are passed on and not taken part in.</summary>
public sealed record TracingConfig
{
    /// <summary>The collector: `http://collector:4318`; `/v1/traces` where it has no path.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>Sent with the spans: keys of the collector. Their values are secrets, so they come from files, or stand inline.</summary>
    public ValueList<SecretHeader> Headers { get; init; } = [];

    public string ServiceName { get; init; } = "weft-proxy";

    /// <summary>Share of the requests without a decision of their caller that is traced. Istio's default is 1 %.</summary>
    public double Fraction { get; init; } = 0.01;

    /// <summary>A caller that has decided (the flag of `traceparent`, `x-b3-sampled`) is followed. Off where anybody can send: strangers must not choose what is stored.</summary>
    public bool FollowCaller { get; init; } = true;
}

/// <param name="Name">In any case.</param>
public sealed record SecretHeader(string Name, DataSource Value);
