using Weft.Balancing;
using Weft.Balancing.Algorithms;

namespace Weft.Proxy.Config.Model;

/// <summary>How an endpoint is chosen: one record for each class of `Weft.Balancing.Algorithms`.</summary>
public abstract record LoadBalancer;

/// <summary>In turn; by weight in the smooth order where weights differ.</summary>
public sealed record RoundRobinBalancer : LoadBalancer;

/// <summary>Fewest requests in flight for the weight. The default, as in Istio.</summary>
public sealed record LeastRequestBalancer : LoadBalancer
{
    /// <summary>Up to so many endpoints are all compared, two drawn ones of more.</summary>
    public int FullScan { get; init; } = LeastRequest.FullScan;
}

/// <summary>Peak EWMA.</summary>
public sealed record LeastTimeBalancer : LoadBalancer
{
    public TimeSpan Decay { get; init; } = TimeSpan.FromTicks(PeakEwma.DefaultDecay / 100);
}

public sealed record RandomBalancer : LoadBalancer;

public sealed record RingHashBalancer : LoadBalancer
{
    public int Points { get; init; } = RingHash.DefaultPoints;

    /// <summary>Above 1: no endpoint has more than so many times the average in flight; null: no bound.</summary>
    public double? LoadFactor { get; init; }
}

public sealed record MaglevBalancer : LoadBalancer
{
    /// <summary>A prime.</summary>
    public int TableSize { get; init; } = Maglev.DefaultSize;

    public double? LoadFactor { get; init; }
}
