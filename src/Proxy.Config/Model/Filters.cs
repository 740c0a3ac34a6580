namespace Weft.Proxy.Config.Model;

/// <summary>What is done to requests and responses of a route. Each kind is one record here and one filter of the proxy.</summary>
public abstract record FilterConfig;

/// <param name="Name">In any case.</param>
public sealed record HeaderValue(string Name, string Value);

/// <summary>Removed first, then set, then added. Values may have `%NAME%` of <see cref="HeaderFilter"/>.</summary>
public sealed record HeaderEdits
{
    public static readonly HeaderEdits None = new();

    /// <summary>In place of all of that name.</summary>
    public ValueList<HeaderValue> Set { get; init; } = [];

    /// <summary>Beside those that are there.</summary>
    public ValueList<HeaderValue> Add { get; init; } = [];

    /// <summary>A name ending in `*` is a prefix.</summary>
    public ValueList<string> Remove { get; init; } = [];

    public bool IsNone => Set.IsEmpty && Add.IsEmpty && Remove.IsEmpty;
}

/// <summary>
/// Header fields. A value may speak of the request: `%CLIENT_ADDRESS%`, `%CLIENT_IDENTITY%`, `%HOST%`, `%METHOD%`, `%PATH%`, `%SCHEME%`, `%ROUTE%`, `%SERVER_NAME%`,
/// `%REQ(name)%`; `%%` is a percent sign. What the request does not have is empty.
/// </summary>
public sealed record HeaderFilter : FilterConfig
{
    public HeaderEdits Request { get; init; } = HeaderEdits.None;

    public HeaderEdits Response { get; init; } = HeaderEdits.None;
}

/// <summary>Query parameters of the request, as the endpoint sees them. Names and values are given as they are meant and escaped here.</summary>
public sealed record QueryFilter : FilterConfig
{
    public ValueList<HeaderValue> Set { get; init; } = [];

    public ValueList<HeaderValue> Add { get; init; } = [];

    public ValueList<string> Remove { get; init; } = [];
}

/// <summary>Cross-origin requests (the Fetch standard). Preflights are answered here.</summary>
public sealed record CorsFilter : FilterConfig
{
    public ValueList<StringMatch> AllowOrigins { get; init; } = [];

    /// <summary>`*`: any.</summary>
    public ValueList<string> AllowMethods { get; init; } = [];

    /// <summary>`*`: those that are asked for.</summary>
    public ValueList<string> AllowHeaders { get; init; } = [];

    public ValueList<string> ExposeHeaders { get; init; } = [];

    public bool AllowCredentials { get; init; }

    /// <summary>How long a browser may remember; null: not said, which is 5 s (the Fetch standard).</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>A preflight of an origin that is not allowed goes to the endpoint, as Istio's does by default; otherwise it is answered without permission.</summary>
    public bool ForwardUnmatchedPreflights { get; init; }
}

/// <summary>Faults on purpose. Delay first, then abort.</summary>
public sealed record FaultFilter : FilterConfig
{
    public TimeSpan Delay { get; init; }

    public double DelayFraction { get; init; }

    public int AbortStatus { get; init; }

    /// <summary>In place of <see cref="AbortStatus"/>: a gRPC status in trailers.</summary>
    public int? AbortGrpcStatus { get; init; }

    public double AbortFraction { get; init; }
}

/// <summary>What requests share a bucket by.</summary>
public abstract record LimitKey;

public sealed record AddressKey : LimitKey;

public sealed record IdentityKey : LimitKey;

public sealed record HeaderKey(string Name) : LimitKey;

public sealed record PathKey : LimitKey;

/// <summary>Requests in this proxy: a bucket of tokens that fills with time.</summary>
public sealed record RateLimitFilter : FilterConfig
{
    /// <summary>Stands in decisions and in the key of the buckets.</summary>
    public string Name { get; init; } = "";

    public int Requests { get; init; }

    public TimeSpan Per { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Tokens that a bucket holds; 0: as many as <see cref="Requests"/>.</summary>
    public int Burst { get; init; }

    /// <summary>A bucket for each value of these together; none: one bucket for the route.</summary>
    public ValueList<LimitKey> Keys { get; init; } = [];

    /// <summary>Buckets at once; the one that was not asked the longest goes. An attacker chooses keys, so they must be bounded: 10,000 are below 1 MB.</summary>
    public int MaxKeys { get; init; } = 10_000;

    public int Status { get; init; } = 429;

    /// <summary>x-ratelimit-limit, -remaining and -reset, on answers that are let through, too.</summary>
    public bool Headers { get; init; } = true;

    /// <summary>Counted and recorded, nothing refused.</summary>
    public bool DryRun { get; init; }
}

/// <summary>Largest body; more is answered 413.</summary>
public sealed record BodyLimitFilter(long MaxRequestBytes) : FilterConfig;
