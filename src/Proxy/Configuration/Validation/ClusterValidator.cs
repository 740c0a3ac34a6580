using System.Net;
using Weft.Balancing;
using Weft.Balancing.Algorithms;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Configuration.Validation;

internal static class ClusterValidator
{
    public static void Validate(ClusterConfig cluster, string path, KnownNames known, ConfigErrors errors)
    {
        errors.Name(cluster.Name, $"{path}.name");
        foreach (var (i, endpoint) in cluster.Endpoints.Index())
        {
            var at = $"{path}.endpoints[{i}]";
            errors.Port(endpoint.Port, $"{at}.port");
            errors.Require(endpoint.Weight is >= 1 and <= Endpoint.MaxWeight, $"{at}.weight", $"is {endpoint.Weight}; 1 to {Endpoint.MaxWeight}");
            errors.AtLeast(endpoint.Priority, 0, $"{at}.priority");
            errors.Require(IPAddress.TryParse(endpoint.Address, out _) || IsName(endpoint.Address), $"{at}.address", $"'{endpoint.Address}' is neither an IP address nor a name that DNS could have");
        }

        errors.Unique(cluster.Endpoints, e => $"{e.Address}:{e.Port}", i => $"{path}.endpoints[{i}]", "endpoint");
        errors.Unique(cluster.Subsets, s => s.Name, i => $"{path}.subsets[{i}].name", "subset");
        if (cluster.Dns is { } dns)
        {
            errors.Require(DnsName.IsName(dns.Name), $"{path}.dns.name", $"'{dns.Name}' is no name that DNS could have");
            foreach (var (i, server) in dns.Servers.Index())
                errors.Require(IPEndPoint.TryParse(server, out _), $"{path}.dns.servers[{i}]", $"'{server}' is no address with a port, such as 10.0.0.53:53");
            errors.Require(dns.Srv || dns.Port is > 0 and < 65_536, $"{path}.dns.port", $"{dns.Port} is no port; 1 to 65535, or srv: true");
            errors.Require(dns.Refresh > TimeSpan.Zero, $"{path}.dns.refresh", "must be above zero");
        }

        Balancer(cluster.LoadBalancer, $"{path}.loadBalancer", errors);
        foreach (var (i, subset) in cluster.Subsets.Index())
        {
            errors.Name(subset.Name, $"{path}.subsets[{i}].name");
            if (subset.LoadBalancer is { } own)
                Balancer(own, $"{path}.subsets[{i}].loadBalancer", errors);
        }

        errors.Require(cluster.PanicThreshold is >= 0 and <= 100, $"{path}.panicThreshold", $"is {cluster.PanicThreshold}; 0 to 100 percent");
        errors.Require(cluster.ConnectTimeout > TimeSpan.Zero, $"{path}.connectTimeout", "must be above zero");
        KeepAlive(cluster.KeepAlive, $"{path}.keepAlive", errors);
        errors.Fraction(cluster.RetryBudget.Fraction, $"{path}.retryBudget.fraction");
        errors.AtLeast(cluster.Limits.MaxConnections, 1, $"{path}.limits.maxConnections");
        errors.NotNegative(cluster.Limits.TunnelIdleTimeout ?? TimeSpan.Zero, $"{path}.limits.tunnelIdleTimeout");
        errors.AtLeast(cluster.Limits.MaxPending, 0, $"{path}.limits.maxPending");
        errors.AtLeast(cluster.Limits.MaxRequests, 1, $"{path}.limits.maxRequests");
        errors.AtLeast(cluster.Limits.MaxStreams, 1, $"{path}.limits.maxStreams");
        errors.Require(cluster.HealthWeight is not { Steepness: <= 0 }, $"{path}.healthWeight.steepness", "must be above zero");
        errors.Require(cluster.SlowStart is null || cluster.SlowStart is { Aggression: > 0, Least: > 0 and <= 1 }, $"{path}.slowStart", "aggression is above 0, least above 0 and at most 1");
        if (cluster.AdaptiveConcurrency is { } adaptive)
        {
            errors.Require(adaptive.Least >= 1 && adaptive.Most >= adaptive.Least, $"{path}.adaptiveConcurrency", $"least is {adaptive.Least} and most {adaptive.Most}; least is at least 1 and at most most");
            errors.Require(adaptive.Window > TimeSpan.Zero && adaptive.MeasureEvery > adaptive.Window, $"{path}.adaptiveConcurrency", "window is above zero, measureEvery above window");
            errors.Require(adaptive is { Tolerance: >= 0, MeasureRequests: >= 1 }, $"{path}.adaptiveConcurrency", "tolerance is not negative, measureRequests at least 1");
        }

        foreach (var (i, rule) in cluster.Locality.Distribute.Index())
        {
            var at = $"{path}.locality.distribute[{i}]";
            errors.Name(rule.From, $"{at}.from");
            errors.Require(rule.To.All(to => to.Weight is >= 0 and <= 100) && rule.To.Sum(to => to.Weight) == 100, $"{at}.to", $"the weights together are {rule.To.Sum(to => (long)to.Weight)}; they must be 100");
        }

        errors.Require(!cluster.Locality.Failover || cluster.Locality.Distribute.IsEmpty, $"{path}.locality", "has one of failover and distribute");
        if (cluster.Outliers is { } outliers)
            errors.Require(outliers.MaxEjectionPercent is >= 0 and <= 100 && outliers.Interval > TimeSpan.Zero, $"{path}.outliers", "maxEjectionPercent is 0 to 100, interval above zero");
        if (cluster.Tls?.Certificate is { } certificate)
            known.Certificate(certificate, $"{path}.tls.certificate", errors);
        foreach (var (i, check) in cluster.HealthChecks.Index())
            Check(check, $"{path}.healthChecks[{i}]", errors);
    }

    // The kernel's bounds of TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT.
    public static void KeepAlive(TcpKeepAlive? alive, string path, ConfigErrors errors) => errors.Require(
        alive is null || (alive.Probes is >= 1 and <= 127 && alive.Idle >= TimeSpan.Zero && alive.Interval > TimeSpan.Zero && Math.Max(alive.Idle.TotalSeconds, alive.Interval.TotalSeconds) <= 32_767),
        path, "idle (0: none are sent) and interval are at most 32767 s, interval above zero, probes 1 to 127");

    /// <summary>Of an endpoint. No name ends with a number (RFC 3696): that is an address that is wrong.</summary>
    public static bool IsName(string text) => DnsName.IsName(text) && !text[(text.LastIndexOf('.') + 1)..].All(char.IsAsciiDigit);

    private static void Check(HealthCheckConfig check, string path, ConfigErrors errors)
    {
        errors.Require(check.Interval > TimeSpan.Zero, $"{path}.interval", "must be above zero");
        errors.Require(check.Timeout > TimeSpan.Zero, $"{path}.timeout", "must be above zero");
        errors.AtLeast(check.Healthy, 1, $"{path}.healthy");
        errors.AtLeast(check.Unhealthy, 1, $"{path}.unhealthy");
        errors.Fraction(check.Jitter, $"{path}.jitter");
        errors.Require(check is not HttpHealthCheck http || http.Path.StartsWith('/'), $"{path}.path", "begins with a slash");
    }

    private static void Balancer(LoadBalancer balancer, string path, ConfigErrors errors)
    {
        switch (balancer)
        {
            case RingHashBalancer ring:
                errors.Compiles(() => _ = new RingHash(["one"], [1], Math.Min(ring.Points, RingHash.MaxPoints + 1)), $"{path}.points");
                errors.Require(ring.LoadFactor is null or > 1, $"{path}.loadFactor", "must be above 1, the average itself");
                break;
            case MaglevBalancer maglev:
                errors.Compiles(() => _ = new Maglev([], [], maglev.TableSize), $"{path}.tableSize");
                errors.Require(maglev.LoadFactor is null or > 1, $"{path}.loadFactor", "must be above 1, the average itself");
                break;
            case LeastTimeBalancer time:
                errors.Require(time.Decay > TimeSpan.Zero, $"{path}.decay", "must be above zero");
                break;
        }
    }
}
