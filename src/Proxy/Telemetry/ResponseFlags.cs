namespace Weft.Proxy.Telemetry;

/// <summary>What went wrong or was done on purpose, in the letters of Envoy's %RESPONSE_FLAGS%, which dashboards for Istio ask for.</summary>
[Flags]
internal enum ResponseFlags
{
    None = 0,
    /// <summary>UH: no endpoint that is well.</summary>
    NoHealthyUpstream = 1 << 0,
    /// <summary>UF: no connection to the endpoint.</summary>
    UpstreamConnectionFailure = 1 << 1,
    /// <summary>UO: a limit of the pool was reached.</summary>
    UpstreamOverflow = 1 << 2,
    /// <summary>NR: no route.</summary>
    NoRoute = 1 << 3,
    /// <summary>NC: the route's cluster is not there.</summary>
    NoCluster = 1 << 4,
    /// <summary>URX: it was tried as often as is allowed.</summary>
    RetryLimit = 1 << 5,
    /// <summary>UT: the request's time ran out.</summary>
    UpstreamTimeout = 1 << 6,
    /// <summary>UC: the endpoint closed the connection.</summary>
    UpstreamConnectionTermination = 1 << 7,
    /// <summary>UR: the endpoint reset the stream.</summary>
    UpstreamReset = 1 << 8,
    /// <summary>UPE: the endpoint broke the protocol.</summary>
    UpstreamProtocolError = 1 << 9,
    /// <summary>DC: the client went away.</summary>
    DownstreamConnectionTermination = 1 << 10,
    /// <summary>DPE: the client broke the protocol.</summary>
    DownstreamProtocolError = 1 << 11,
    /// <summary>DI: delayed by a fault rule.</summary>
    DelayInjected = 1 << 12,
    /// <summary>FI: aborted by a fault rule.</summary>
    FaultInjected = 1 << 13,
    /// <summary>RL: above a rate limit.</summary>
    RateLimited = 1 << 14,
    /// <summary>UAEX: refused by external authorization, or by a policy of this proxy.</summary>
    Unauthorized = 1 << 15,
    /// <summary>SI: nothing came for the stream's idle time.</summary>
    StreamIdleTimeout = 1 << 16,
    /// <summary>OM: shed because the proxy is overloaded.</summary>
    OverloadManager = 1 << 17,
    /// <summary>DF: the endpoint's name could not be resolved.</summary>
    DnsFailure = 1 << 18,
    /// <summary>DT: the connection was as old as it may become.</summary>
    DurationTimeout = 1 << 19,
}

internal static class ResponseFlagText
{
    // In the order of the bits.
    private static readonly string[] Letters = ["UH", "UF", "UO", "NR", "NC", "URX", "UT", "UC", "UR", "UPE", "DC", "DPE", "DI", "FI", "RL", "UAEX", "SI", "OM", "DF", "DT"];

    /// <summary>`-` for none, `UF,URX` for several.</summary>
    public static string Of(ResponseFlags flags) =>
        flags == ResponseFlags.None ? "-" : string.Join(',', Letters.Where((_, bit) => ((int)flags >> bit & 1) != 0));
}
