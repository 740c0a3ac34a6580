namespace Weft.Proxy.Config.Model;

/// <summary>What makes another try worth it. Names are Envoy's.</summary>
[Flags]
public enum RetryOn
{
    None = 0,
    /// <summary>No connection: certainly not processed.</summary>
    ConnectFailure = 1 << 0,
    /// <summary>The endpoint said that it did not look at it: certainly not processed.</summary>
    RefusedStream = 1 << 1,
    /// <summary>The exchange ended without an answer.</summary>
    Reset = 1 << 2,
    /// <summary>Any 5xx, and what <see cref="ConnectFailure"/>, <see cref="RefusedStream"/> and <see cref="Reset"/> name.</summary>
    ServerError = 1 << 3,
    /// <summary>502, 503, 504.</summary>
    GatewayError = 1 << 4,
    /// <summary>409.</summary>
    Retriable4xx = 1 << 5,
    /// <summary>One of <see cref="RetryPolicy.StatusCodes"/>.</summary>
    StatusCodes = 1 << 6,
    GrpcCancelled = 1 << 8,
    GrpcDeadlineExceeded = 1 << 9,
    GrpcInternal = 1 << 10,
    GrpcResourceExhausted = 1 << 11,
    GrpcUnavailable = 1 << 12,
}

/// <summary>When a request that failed is sent again. Nothing is sent again whose answer has begun, or whose body is no longer there.</summary>
public sealed record RetryPolicy
{
    /// <summary>Istio's default: two more tries, for what did not reach the application or said so.</summary>
    public static readonly RetryPolicy Default = new();

    public static readonly RetryPolicy None = new() { Attempts = 0 };

    public RetryOn On { get; init; } = RetryOn.ConnectFailure | RetryOn.RefusedStream | RetryOn.GrpcUnavailable | RetryOn.GrpcCancelled;

    public ValueList<int> StatusCodes { get; init; } = [];

    /// <summary>Tries after the first.</summary>
    public int Attempts { get; init; } = 2;

    /// <summary>Of each try; zero: what is left of the route's.</summary>
    public TimeSpan PerTryTimeout { get; init; }

    /// <summary>Before the n-th retry: by chance from 0 to base x (2^n - 1), at most <see cref="MaxBackoff"/>. Envoy's numbers.</summary>
    public TimeSpan BaseBackoff { get; init; } = TimeSpan.FromMilliseconds(25);

    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>POST, PATCH and other methods that are not idempotent (RFC 9110 section 9.2.2), also when the endpoint may have processed them.</summary>
    public bool NonIdempotent { get; init; }

    /// <summary>To an endpoint that was not tried, where there is one (Istio's previous_hosts).</summary>
    public bool OtherEndpoint { get; init; } = true;

    /// <summary>Largest body that is kept to be sent again. Envoy keeps what fits its 1 MB buffer; 64 KB is a watermark of this proxy.</summary>
    public int MaxBodyBytes { get; init; } = 64 << 10;
}

/// <summary>Retries at once, against a cluster that is down being asked n times as much as before.</summary>
/// <param name="Fraction">Of the requests in flight. Envoy's default is 20 %.</param>
/// <param name="Least">
/// Allowed in any case. Envoy's 3 are fewer than fail at the same moment when one of three endpoints is lost at 1,000 requests/s, each of which would be an error (FailureTests); Istio
/// sets no bound. 100 last until the endpoint is out, and are not what brings down a cluster.
/// </param>
public sealed record RetryBudget(double Fraction = 0.2, int Least = 100);
