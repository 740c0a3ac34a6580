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

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot)
    {
        var counts = Count(pod, snapshot, hard: true);
        return counts is null ? PreFilterResult.Skip : PreFilterResult.Check(counts);
    }

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state)
    {
        foreach (var domains in (Domains[])state!)
        {
            if (!node.Labels.TryGetValue(domains.Constraint.TopologyKey, out var domain))
                return NoLabel;
            var self = domains.Constraint.Selects(pod) ? 1 : 0;
            if (domains.Count(domain) + self - domains.Least > domains.Constraint.MaxSkew)
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
        var all = (Domains[])state!;
        var sum = 0.0;
        foreach (var domains in all)
        {
            if (node.Labels.TryGetValue(domains.Constraint.TopologyKey, out var domain))
                sum += 1.0 / (1 + Math.Max(0, domains.Count(domain) - domains.Least));
        }

        return sum / all.Length;
    }

    private static Domains[]? Count(PodInfo pod, ClusterSnapshot snapshot, bool hard)
    {
        if (pod.Spread.Count == 0 || !pod.Spread.Any(one => one.IsHard == hard))
            return null;
        Domains[] all = [.. pod.Spread.Where(one => one.IsHard == hard).Select(one => new Domains(one))];
        for (var i = 0; i < snapshot.Count; i++)
        {
            var node = snapshot[i];
            foreach (var domains in all)
                domains.Add(pod, node);
        }

        return all;
    }

    private sealed class Domains(SpreadConstraint constraint)
    {
        private readonly Dictionary<string, int> _counts = [];
        private int? _least;

        public SpreadConstraint Constraint => constraint;

        /// <summary>Pods of the emptiest domain; 0 while there are fewer domains than minDomains asks for.</summary>
        public int Least => _least ??= _counts.Count == 0 || _counts.Count < constraint.MinDomains ? 0 : _counts.Values.Min();

        public int Count(string domain) => _counts.GetValueOrDefault(domain);

        public void Add(PodInfo pod, NodeInfo node)
        {
            if (!node.Labels.TryGetValue(constraint.TopologyKey, out var domain))
                return;
            if (constraint.HonorsAffinity && pod.RequiredNodes?.Matches(node) == false)
                return;
            if (constraint.HonorsTaints && TaintToleration.FirstUntolerated(pod, node) is not null)
                return;
            var count = 0;
            foreach (var other in node.Pods)
            {
                if (constraint.Counts(other))
                    count++;
            }

            _counts[domain] = _counts.GetValueOrDefault(domain) + count;
        }
    }
}
