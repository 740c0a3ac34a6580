using Weft.Balancing.Health;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Clusters;

/// <summary>Limits of connections and requests, and when endpoints that fail are taken out.</summary>
internal static class PoolReader
{
    /// <summary>Istio's.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    public static ClusterConfig Pool(ClusterConfig cluster, Istio.ConnectionPoolSettings? pool, string field, Problems problems)
    {
        var (tcp, http) = (pool?.Tcp, pool?.Http);
        var limits = cluster.Limits;
        limits = limits with
        {
            MaxConnections = Amount(tcp?.MaxConnections, limits.MaxConnections, 1, $"{field}.tcp.maxConnections", problems),
            MaxConnectionAge = Durations.Read(tcp?.MaxConnectionDuration, $"{field}.tcp.maxConnectionDuration", problems) ?? limits.MaxConnectionAge,
            MaxPending = Amount(http?.Http1MaxPendingRequests, limits.MaxPending, 0, $"{field}.http.http1MaxPendingRequests", problems),
            MaxRequests = Amount(http?.Http2MaxRequests, limits.MaxRequests, 1, $"{field}.http.http2MaxRequests", problems),
            MaxRequestsPerConnection = Amount(http?.MaxRequestsPerConnection, limits.MaxRequestsPerConnection, 0, $"{field}.http.maxRequestsPerConnection", problems),
            MaxRetries = Amount(http?.MaxRetries, limits.MaxRetries, 0, $"{field}.http.maxRetries", problems),
            MaxStreams = Amount(http?.MaxConcurrentStreams, limits.MaxStreams, 1, $"{field}.http.maxConcurrentStreams", problems),
            TunnelIdleTimeout = Durations.Read(tcp?.IdleTimeout, $"{field}.tcp.idleTimeout", problems) ?? limits.TunnelIdleTimeout,
            IdleTimeout = Durations.Read(http?.IdleTimeout, $"{field}.http.idleTimeout", problems) ?? limits.IdleTimeout,
        };
        var connect = Durations.Read(tcp?.ConnectTimeout, $"{field}.tcp.connectTimeout", problems);
        if (connect <= TimeSpan.Zero)
            problems.Error($"{field}.tcp.connectTimeout", "must be above zero");
        return cluster with
        {
            Limits = limits, KeepAlive = KeepAlive(cluster.KeepAlive, tcp?.TcpKeepalive, $"{field}.tcp.tcpKeepalive", problems), ConnectTimeout = connect > TimeSpan.Zero ? connect.Value : ConnectTimeout,
            // It comes before the other (Istio: "h2UpgradePolicy will be ineffective").
            Protocol = http?.UseClientProtocol == true ? UpstreamProtocol.Client : http?.H2UpgradePolicy switch { "UPGRADE" => UpstreamProtocol.Http2, "DO_NOT_UPGRADE" when cluster.Protocol == UpstreamProtocol.Auto => UpstreamProtocol.Http1, _ => cluster.Protocol },
        };
    }

    public static ClusterConfig Outliers(ClusterConfig cluster, Istio.OutlierDetection? outlier, string field, Problems problems)
    {
        if (outlier is null)
            return cluster;
        if (outlier.ConsecutiveErrors is not null)
            problems.Warn($"{field}.consecutiveErrors", "is old; write consecutive5xxErrors or consecutiveGatewayErrors");
        if (outlier.ConsecutiveLocalOriginFailures is not null && outlier.SplitExternalLocalOriginErrors != true)
            problems.Warn($"{field}.consecutiveLocalOriginFailures", "has no effect without splitExternalLocalOriginErrors");
        var defaults = OutlierSettings.Default;
        var baseTime = Positive(outlier.BaseEjectionTime, defaults.BaseEjection, $"{field}.baseEjectionTime", problems);
        return cluster with
        {
            Outliers = defaults with
            {
                Consecutive5xx = Amount(outlier.Consecutive5xxErrors, outlier.ConsecutiveErrors is null ? defaults.Consecutive5xx : 0, 0, $"{field}.consecutive5xxErrors", problems),
                ConsecutiveGatewayErrors = Amount(outlier.ConsecutiveGatewayErrors ?? outlier.ConsecutiveErrors, 0, 0, $"{field}.consecutiveGatewayErrors", problems),
                ConsecutiveLocalErrors = outlier.SplitExternalLocalOriginErrors == true
                    ? Amount(outlier.ConsecutiveLocalOriginFailures, defaults.ConsecutiveLocalErrors, 0, $"{field}.consecutiveLocalOriginFailures", problems) : 0,
                SuccessRateDeviations = 0, // Istio's API has no such rule
                Interval = Positive(outlier.Interval, defaults.Interval, $"{field}.interval", problems),
                BaseEjection = baseTime, LongestEjection = baseTime > defaults.LongestEjection ? baseTime : defaults.LongestEjection,
                MaxEjectionPercent = Percent(outlier.MaxEjectionPercent, defaults.MaxEjectionPercent, $"{field}.maxEjectionPercent", problems),
            },
            PanicThreshold = Percent(outlier.MinHealthPercent, 0, $"{field}.minHealthPercent", problems),
        };
    }

    private static TcpKeepAlive? KeepAlive(TcpKeepAlive? usual, Istio.TcpKeepalive? alive, string field, Problems problems)
    {
        if (alive is null)
            return usual;
        usual ??= new();
        var result = usual with
        {
            Idle = Positive(alive.Time, usual.Idle, $"{field}.time", problems), Interval = Positive(alive.Interval, usual.Interval, $"{field}.interval", problems), Probes = alive.Probes ?? usual.Probes,
        };
        // Linux' own bounds (tcp(7): TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT).
        if (result is { Probes: >= 1 and <= 127, Idle.TotalSeconds: <= 32_767, Interval.TotalSeconds: <= 32_767 })
            return result;
        problems.Error(field, "time and interval are at most 32767s, probes 1 to 127");
        return usual;
    }

    private static TimeSpan Positive(string? text, TimeSpan usual, string field, Problems problems)
    {
        if (Durations.Read(text, field, problems) is not { } time)
            return usual;
        if (time > TimeSpan.Zero)
            return time;
        problems.Error(field, "must be above zero");
        return usual;
    }

    private static int Amount(int? value, int usual, int least, string field, Problems problems)
    {
        if (value is null)
            return usual;
        if (value >= least)
            return value.Value;
        // Istio reads 0 of most limits as "not said".
        if (value != 0)
            problems.Error(field, $"is {value}; {least} or more");
        return usual;
    }

    private static int Percent(int? value, int usual, string field, Problems problems)
    {
        if (value is null or (>= 0 and <= 100))
            return value ?? usual;
        problems.Error(field, $"{value} is no percentage; 0 to 100");
        return usual;
    }
}
