using Weft.Balancing.Algorithms;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Clusters;

/// <summary>How endpoints are chosen.</summary>
internal static class BalancerReader
{
    public static LoadBalancer Read(Istio.LoadBalancerSettings? settings, string field, Problems problems)
    {
        if (settings?.Simple is not null && settings.ConsistentHash is not null)
            problems.Error(field, "has simple and consistentHash; keep one");
        if (settings?.ConsistentHash is { } hash)
            return Hashing(hash, $"{field}.consistentHash", problems);
        switch (settings?.Simple)
        {
            case "ROUND_ROBIN":
                return new RoundRobinBalancer();
            case "RANDOM":
                return new RandomBalancer();
            case "LEAST_CONN":
                problems.Warn($"{field}.simple", "LEAST_CONN is an old name; write LEAST_REQUEST");
                return new LeastRequestBalancer();
            case null or "UNSPECIFIED" or "LEAST_REQUEST" or "PASSTHROUGH":
                return new LeastRequestBalancer();
            default:
                problems.Error($"{field}.simple", $"'{settings.Simple}' is none of ROUND_ROBIN, LEAST_REQUEST, RANDOM and PASSTHROUGH");
                return new LeastRequestBalancer();
        }
    }

    /// <summary>What requests are kept together by; none without a hash.</summary>
    public static ValueList<HashPolicy> HashOf(Istio.LoadBalancerSettings? settings) => settings?.ConsistentHash switch
    {
        null => [],
        { HttpHeaderName: { Length: > 0 } name } => [new HeaderHash(name.ToLowerInvariant())],
        { HttpCookie: { Name.Length: > 0 } cookie } => [new CookieHash(cookie.Name) { Lifetime = cookie.Ttl is { } ttl && Durations.TryParse(ttl, out var life) ? life : null, Path = string.IsNullOrEmpty(cookie.Path) ? "/" : cookie.Path }],
        { UseSourceIp: true } => [new SourceHash()],
        { HttpQueryParameterName: { Length: > 0 } parameter } => [new QueryHash(parameter)],
        _ => [],
    };

    public static SlowStartPolicy? Warmup(Istio.LoadBalancerSettings? settings, string field, Problems problems)
    {
        if (settings?.Warmup is { } warmup)
        {
            if (warmup.Duration is null)
                problems.Error($"{field}.warmup.duration", "is missing");
            if (warmup.MinimumPercent is < 0 or > 100)
                problems.Error($"{field}.warmup.minimumPercent", "is no percentage; 0 to 100");
            if (warmup.Aggression is < 1)
                problems.Error($"{field}.warmup.aggression", "must be 1 or more");
            // The balancer's least share must be above zero, or a new endpoint would never show that it is well.
            return Durations.Read(warmup.Duration, $"{field}.warmup.duration", problems) is { } window && window > TimeSpan.Zero
                ? new(window, Math.Max(1, warmup.Aggression ?? 1), Math.Clamp((warmup.MinimumPercent ?? 10) / 100, 0.01, 1))
                : null;
        }

        if (settings?.WarmupDurationSecs is null)
            return null;
        problems.Warn($"{field}.warmupDurationSecs", "is old; write warmup with duration");
        return Durations.Read(settings.WarmupDurationSecs, $"{field}.warmupDurationSecs", problems) is { } time && time > TimeSpan.Zero ? new(time) : null;
    }

    private static LoadBalancer Hashing(Istio.ConsistentHashLB hash, string field, Problems problems)
    {
        var keys = new[] { !string.IsNullOrEmpty(hash.HttpHeaderName), hash.HttpCookie is not null, hash.UseSourceIp == true, !string.IsNullOrEmpty(hash.HttpQueryParameterName) }.Count(isThere => isThere);
        if (keys != 1)
            problems.Error(field, $"{(keys == 0 ? "says not by what" : "says several")}; write one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName");
        if (hash.HttpHeaderName is { Length: > 0 } header && !HeaderTexts.IsToken(header))
            problems.Error($"{field}.httpHeaderName", $"'{header}' is no name of a header field");
        if (hash.HttpCookie is { } cookie)
        {
            if (cookie.Name.Length == 0)
                problems.Error($"{field}.httpCookie.name", "is missing");
            Durations.Read(cookie.Ttl, $"{field}.httpCookie.ttl", problems);
            problems.UnsupportedIf(cookie.Attributes.Count > 0, $"{field}.httpCookie.attributes", "the cookie has a path and a lifetime only");
        }

        if (hash.Maglev is { } maglev)
        {
            var size = maglev.TableSize ?? Maglev.DefaultSize;
            if (IsPrime(size))
                return new MaglevBalancer { TableSize = (int)size };
            problems.Error($"{field}.maglev.tableSize", $"{size} is no prime below 5000011, as a table needs; 65537 is the default");
            return new MaglevBalancer();
        }

        var points = hash.RingHash?.MinimumRingSize ?? hash.MinimumRingSize ?? RingHash.DefaultPoints;
        if (points is >= 1 and <= RingHash.MaxPoints)
            return new RingHashBalancer { Points = (int)points };
        problems.Error($"{field}.ringHash.minimumRingSize", $"{points} is no size; 1 to {RingHash.MaxPoints}");
        return new RingHashBalancer();
    }

    // Envoy's largest table has 5,000,011 entries.
    private static bool IsPrime(long number)
    {
        if (number is < 2 or > 5_000_011)
            return false;
        for (var divisor = 2L; divisor * divisor <= number; divisor++)
        {
            if (number % divisor == 0)
                return false;
        }

        return true;
    }
}
