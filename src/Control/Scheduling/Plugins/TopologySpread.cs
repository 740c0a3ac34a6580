using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Matching;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>
/// Keeps matching pods even over domains: after placing, a domain may have at most maxSkew more than the emptiest one. Hard constraints filter; soft ones
/// score 1 / (1 + how many the domain has beyond the emptiest), averaged over the constraints.
/// </summary>
internal sealed class TopologySpread : IPreFilterPlugin, IPreScorePlugin
{
    private static readonly Rejection TooMany = new("node(s) didn't match pod topology spread constraints");
    private static readonly Rejection NoLabel = new("node(s) didn't match pod topology spread constraints (missing required label)");

    public string Name => "PodTopologySpread";

    public double Weight => 2;

    public ClusterEvents MayCure => ClusterEvents.NodeAdded | ClusterEvents.NodeLabelsChanged | ClusterEvents.NodeTaintsChanged | ClusterEvents.PodRemoved | ClusterEvents.PodPlaced;

    private readonly DomainIndex _index = new();

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot)
    {
        var counts = Count(pod, snapshot, hard: true);
        return counts is null ? PreFilterResult.Skip : PreFilterResult.Check(counts);
    }

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state)
    {
        foreach (var spread in (Spread[])state!)
        {
            if (!node.Labels.TryGetValue(spread.Key, out var domain))
                return NoLabel;
            if (spread.Domains.Count(domain) > spread.Most)
                return TooMany;
        }

        return null;
    }

    public PreScoreResult PreScore(PodInfo pod, ClusterSnapshot snapshot)
    {
        var counts = Count(pod, snapshot, hard: false);
        return counts is null ? PreScoreResult.Skip : PreScoreResult.Score(counts);
    }

    public double Score(PodInfo pod, NodeInfo node, object? state)
    {
        var all = (Spread[])state!;
        var sum = 0.0;
        foreach (var spread in all)
        {
            if (node.Labels.TryGetValue(spread.Key, out var domain))
                sum += 1.0 / (1 + Math.Max(0, spread.Domains.Count(domain) - spread.Least));
        }

        return sum / all.Length;
    }

    private Spread[]? Count(PodInfo pod, ClusterSnapshot snapshot, bool hard)
    {
        if (pod.Spread.Count == 0 || !pod.Spread.Any(one => one.IsHard == hard))
            return null;
        return [.. pod.Spread.Where(one => one.IsHard == hard).Select(one => new Spread(one, pod, _index.Of(one, pod, snapshot)))];
    }

    /// <summary>A constraint of one pod at one moment.</summary>
    private sealed class Spread
    {
        public Spread(SpreadConstraint constraint, PodInfo pod, DomainCounts domains)
        {
            Key = constraint.TopologyKey;
            Domains = domains;
            Least = domains.Number < constraint.MinDomains ? 0 : domains.Least;
            Most = constraint.MaxSkew + Least - (constraint.Selects(pod) ? 1 : 0);
        }

        public string Key { get; }
        public DomainCounts Domains { get; }

        /// <summary>Pods of the emptiest domain; 0 while there are fewer domains than minDomains asks for.</summary>
        public int Least { get; }

        /// <summary>As many may be in a domain before the pod joins it.</summary>
        public int Most { get; }
    }
}
