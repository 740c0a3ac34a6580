using System.Text;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;

namespace Weft.Proxy.Routing.Actions;

/// <summary>A compiled <see cref="ForwardAction"/>.</summary>
internal sealed class ForwardPlan
{
    private readonly byte[][] _upgrades;

    public ForwardPlan(ForwardAction action)
    {
        Action = action;
        Split = new([.. action.Clusters.Select(c => new SplitTarget(c))]);
        StickySplit = action.StickySplit is { } sticky ? new([sticky]) : null;
        Hash = action.Hash.IsEmpty ? null : new(action.Hash);
        Rewrite = new(action.Rewrite);
        Mirrors = [.. action.Mirrors];
        _upgrades = [.. action.Upgrades.Select(u => Encoding.ASCII.GetBytes(u.ToLowerInvariant()))];
    }

    public ForwardAction Action { get; }

    public ClusterSplit Split { get; }

    public HashPlan? StickySplit { get; }

    /// <summary>For the balancer; null: nothing to hash.</summary>
    public HashPlan? Hash { get; }

    public RewritePlan Rewrite { get; }

    /// <summary>Each is asked with <see cref="Chance.Hits"/> whether this request is copied to it.</summary>
    public Mirror[] Mirrors { get; }

    /// <summary>The cluster for this request.</summary>
    /// <param name="cookie">One that the client has to be given with the answer, so that it comes back to the same place; null: none.</param>
    public SplitTarget Choose(RequestFacts facts, ref Rng rng, out MadeCookie? cookie)
    {
        cookie = null;
        if (Split.IsSingle)
            return Split.Pick(0);
        var hash = StickySplit?.Of(facts, ref rng, out cookie);
        return Split.Pick(hash is { } sticky ? StableHash.Mix(sticky) : rng.Next());
    }

    /// <param name="protocol">Of the request's Upgrade, in any case.</param>
    public bool Allows(ReadOnlySpan<byte> protocol)
    {
        foreach (var upgrade in _upgrades)
        {
            if (Ascii.EqualsIgnoreCase(protocol, upgrade))
                return true;
        }

        return false;
    }
}

/// <summary>A cluster that a route may send to.</summary>
internal sealed class SplitTarget(WeightedCluster config)
{
    public string Cluster => config.Cluster;

    public string? Subset => config.Subset;

    public int Weight => config.Weight;

    /// <summary>Null: none.</summary>
    public HeaderEditor? RequestHeaders { get; } = HeaderEditor.Of(config.RequestHeaders);

    public HeaderEditor? ResponseHeaders { get; } = HeaderEditor.Of(config.ResponseHeaders);
}
