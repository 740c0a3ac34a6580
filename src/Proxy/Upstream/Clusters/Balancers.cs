using Weft.Balancing;
using Weft.Balancing.Algorithms;
using Weft.Balancing.Localities;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Upstream.Clusters;

/// <summary>From the configuration's record to the algorithm.</summary>
internal static class Balancers
{
    /// <param name="states">Of all endpoints that the indices of a level point into.</param>
    /// <param name="start">Where turns begin: proxies that start together must not all begin with the same endpoint.</param>
    public static IBalancer Create(LoadBalancer config, in LevelEndpoints level, IReadOnlyList<EndpointState> states, int start)
    {
        EndpointState[] own = [.. level.Indices.Select(i => states[i])];
        return config switch
        {
            RoundRobinBalancer => new RoundRobin(level.Weights, start),
            LeastRequestBalancer least => new LeastRequest(own, level.Weights, least.FullScan),
            LeastTimeBalancer => new LeastResponseTime(own, level.Weights),
            RandomBalancer => new WeightedRandom([.. level.Weights.Select(weight => (double)weight)]),
            RingHashBalancer ring => Bounded(new RingHash(level.Keys, level.Weights, ring.Points), ring.LoadFactor, own, level.Weights),
            MaglevBalancer maglev => Bounded(new Maglev(level.Keys, level.Weights, maglev.TableSize), maglev.LoadFactor, own, level.Weights),
            _ => throw new ArgumentOutOfRangeException(nameof(config), config.GetType().Name, "no such balancer"),
        };
    }

    private static IBalancer Bounded(IBalancer hashing, double? factor, EndpointState[] states, IReadOnlyList<int> weights) =>
        factor is { } bound ? new BoundedLoad(hashing, states, weights, bound) : hashing;
}
