using Weft.Balancing.Health;
using Weft.Extensions.Sources;

namespace Weft.Extensions;

/// <summary>How an endpoint is chosen.</summary>
public enum BalancingPolicy
{
    /// <summary>In turn, by weight.</summary>
    RoundRobin,

    /// <summary>The one with the fewest requests under way, for its weight.</summary>
    LeastRequest,

    /// <summary>By chance, by weight.</summary>
    Random,

    /// <summary>The one that answers soonest for what it has to do.</summary>
    LeastResponseTime,
}

/// <summary>Where names are looked up, and how their endpoints are used.</summary>
public sealed class DiscoveryOptions
{
    /// <summary>Asked together; the first in this order that knows a name has it. Without any: the registry at `CONSUL_HTTP_ADDR`, or at 127.0.0.1:8500.</summary>
    public IList<IEndpointSource> Sources { get; } = [];

    public BalancingPolicy Balancing { get; set; } = BalancingPolicy.RoundRobin;

    /// <summary>Further endpoints that are tried when there is no connection. A request that was sent is never sent again.</summary>
    public int Retries { get; set; } = 2;

    /// <summary>
    /// When an endpoint is left out for what it answers. Half of them may be out: with the three instances of a usual service, Envoy's tenth is one. Two
    /// refused connections are enough, because a client sees few of them: the registry takes a dead instance out by itself within seconds.
    /// </summary>
    public OutlierSettings Ejection { get; set; } = new() { ConsecutiveLocalErrors = 2, BaseEjection = TimeSpan.FromSeconds(10), MaxEjectionPercent = 50 };

    /// <summary>How long the first request to a name waits until somebody knows it.</summary>
    public TimeSpan FirstAnswer { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Which hosts are names of services. By default those without a dot, and those below `.service.consul`.</summary>
    public Func<string, bool> IsServiceName { get; set; } = static host => host != "localhost" && (!host.Contains('.') || host.EndsWith(".service.consul", StringComparison.OrdinalIgnoreCase));

    /// <summary>Names that are followed at once; a program asks for few, an address in a request that somebody else wrote could be any.</summary>
    public int MaxNames { get; set; } = 1000;

    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>For tests; null: the process's own chance.</summary>
    public Random? Random { get; set; }
}
