namespace Weft.Balancing.Health;

/// <summary>When an endpoint is taken out for what it answers. The defaults are Istio's and Envoy's; 0 turns a rule off.</summary>
public sealed record OutlierSettings
{
    public static readonly OutlierSettings Default = new();

    /// <summary>Answers with 5xx in a row, of whatever cause.</summary>
    public int Consecutive5xx { get; init; } = 5;

    /// <summary>502, 503, 504 in a row.</summary>
    public int ConsecutiveGatewayErrors { get; init; }

    /// <summary>Failures to connect, resets and time-outs in a row, when they are told apart from answers.</summary>
    public int ConsecutiveLocalErrors { get; init; } = 5;

    /// <summary>Taken out when the success rate is below mean - factor x deviation of all, with enough hosts and requests.</summary>
    public double SuccessRateDeviations { get; init; } = 1.9;
    public int SuccessRateHosts { get; init; } = 5;
    public int SuccessRateRequests { get; init; } = 100;

    /// <summary>Taken out when its response time is above median x factor, with the same hosts and requests; 0: off.</summary>
    public double LatencyFactor { get; init; }

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The first time out; each further one is as much longer, up to the longest.</summary>
    public TimeSpan BaseEjection { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan LongestEjection { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Percent of the endpoints that may be out at once; at least one may.</summary>
    public int MaxEjectionPercent { get; init; } = 10;
}

/// <summary>What an attempt told about its endpoint.</summary>
public enum AttemptOutcome
{
    /// <summary>Says nothing: the client went away, or the fault was injected.</summary>
    Neutral,
    Success,

    /// <summary>A 5xx that the application made.</summary>
    ServerError,

    /// <summary>502, 503 or 504.</summary>
    GatewayError,

    /// <summary>No connection, a reset, a time-out.</summary>
    LocalError,
}

public enum EjectionReason { None, Consecutive5xx, ConsecutiveGatewayErrors, ConsecutiveLocalErrors, SuccessRate, Latency }
