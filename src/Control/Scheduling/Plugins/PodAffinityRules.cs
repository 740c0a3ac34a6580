using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Matching;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>
/// Pods near to or away from other pods, where "near" means nodes with the same value of a label. Before the nodes are looked at, all pods are counted
/// per domain once, so that a node costs a look-up per term. Preferences of the pod weigh in the score: w / (100 + |w|) around one half, w the sum of the
/// weights of matching pods in the node's domains.
/// </summary>
internal sealed class PodAffinityRules : IPreFilterPlugin, IPreScorePlugin
{
    private static readonly Rejection NotNear = new("node(s) didn't match pod affinity rules");
    private static readonly Rejection NotAway = new("node(s) didn't match pod anti-affinity rules");
    private static readonly Rejection OthersKeepAway = new("node(s) didn't satisfy existing pods anti-affinity rules");

    public string Name => "InterPodAffinity";

    public double Weight => 2;

    public ClusterEvents MayCure =>
        ClusterEvents.NodeAdded | ClusterEvents.NodeLabelsChanged | ClusterEvents.PodRemoved | ClusterEvents.PodPlaced | ClusterEvents.NamespaceChanged;

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot)
    {
        var affinity = pod.Affinity;
        var hasTerms = affinity is not null && affinity.Near.Count + affinity.Away.Count > 0;
        if (!hasTerms && snapshot.NodesWithPodAffinity == 0)
            return PreFilterResult.Skip;

        var counts = new Counts(affinity?.Near.Count ?? 0, affinity?.Away.Count ?? 0);
        for (var i = 0; i < snapshot.Count; i++)
        {
            var node = snapshot[i];
            if (!hasTerms && node.PodsWithAffinity == 0)
                continue;
            foreach (var other in node.Pods)
                counts.Add(pod, node, other, snapshot);
        }

        if (counts.IsEmpty && !hasTerms)
            return PreFilterResult.Skip;
        // The first of a group that wants to be together has nobody to be near to: it may go anywhere if it matches its own terms.
        counts.IsFirst = affinity is { Near.Count: > 0 } && !counts.AnyNear && affinity.Near.All(term => term.Matches(pod, snapshot));
        return PreFilterResult.Check(counts);
    }

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state)
    {
        var counts = (Counts)state!;
        if (pod.Affinity is { } affinity)
        {
            for (var i = 0; i < affinity.Near.Count; i++)
            {
                if (!node.Labels.TryGetValue(affinity.Near[i].TopologyKey, out var domain) || (!counts.IsFirst && !counts.Near[i].ContainsKey(domain)))
                    return NotNear;
            }

            for (var i = 0; i < affinity.Away.Count; i++)
            {
                if (node.Labels.TryGetValue(affinity.Away[i].TopologyKey, out var domain) && counts.Away[i].ContainsKey(domain))
                    return NotAway;
            }
        }

        foreach (var (key, domains) in counts.Forbidden)
        {
            if (node.Labels.TryGetValue(key, out var domain) && domains.Contains(domain))
                return OthersKeepAway;
        }

        return null;
    }

    public PreScoreResult PreScore(PodInfo pod, ClusterSnapshot snapshot)
    {
        if (pod.Affinity is not { Preferred.Count: > 0 } affinity)
            return PreScoreResult.Skip;
        var weights = new Dictionary<(string Key, string Domain), long>();
        for (var i = 0; i < snapshot.Count; i++)
        {
            var node = snapshot[i];
            foreach (var other in node.Pods)
            {
                foreach (var term in affinity.Preferred)
                {
                    if (term.Matches(other, snapshot) && node.Labels.TryGetValue(term.TopologyKey, out var domain))
                        weights[(term.TopologyKey, domain)] = weights.GetValueOrDefault((term.TopologyKey, domain)) + term.Weight;
                }
            }
        }

        return weights.Count == 0 ? PreScoreResult.Skip : PreScoreResult.Score(weights);
    }

    public double Score(PodInfo pod, NodeInfo node, object? state)
    {
        var weight = 0L;
        foreach (var ((key, domain), one) in (Dictionary<(string Key, string Domain), long>)state!)
        {
            if (node.Labels.TryGetValue(key, out var own) && own == domain)
                weight += one;
        }

        return 0.5 + 0.5 * weight / (100.0 + Math.Abs(weight));
    }

    private sealed class Counts(int near, int away)
    {
        public Dictionary<string, int>[] Near { get; } = [.. Enumerable.Range(0, near).Select(_ => new Dictionary<string, int>())];
        public Dictionary<string, int>[] Away { get; } = [.. Enumerable.Range(0, away).Select(_ => new Dictionary<string, int>())];

        /// <summary>Domains by key in which a placed pod wants no pod like this one.</summary>
        public Dictionary<string, HashSet<string>> Forbidden { get; } = [];

        public bool IsFirst { get; set; }
        public bool AnyNear { get; private set; }
        public bool IsEmpty => Forbidden.Count == 0;

        public void Add(PodInfo pod, NodeInfo node, PodInfo other, ClusterSnapshot snapshot)
        {
            if (pod.Affinity is { } affinity)
            {
                // Affinity counts pods that match all terms together, anti-affinity those that match any (Kubernetes' definition).
                if (affinity.Near.Count > 0 && MatchesAll(affinity.Near, other, snapshot))
                {
                    for (var i = 0; i < affinity.Near.Count; i++)
                        AnyNear |= Count(Near[i], affinity.Near[i], node);
                }

                for (var i = 0; i < affinity.Away.Count; i++)
                {
                    if (affinity.Away[i].Matches(other, snapshot))
                        Count(Away[i], affinity.Away[i], node);
                }
            }

            foreach (var term in other.Affinity?.Away ?? [])
            {
                if (!term.Matches(pod, snapshot) || !node.Labels.TryGetValue(term.TopologyKey, out var domain))
                    continue;
                if (!Forbidden.TryGetValue(term.TopologyKey, out var domains))
                    Forbidden[term.TopologyKey] = domains = [];
                domains.Add(domain);
            }
        }

        private static bool MatchesAll(IReadOnlyList<PodTerm> terms, PodInfo other, ClusterSnapshot snapshot)
        {
            foreach (var term in terms)
            {
                if (!term.Matches(other, snapshot))
                    return false;
            }

            return true;
        }

        private static bool Count(Dictionary<string, int> counts, PodTerm term, NodeInfo node)
        {
            if (!node.Labels.TryGetValue(term.TopologyKey, out var domain))
                return false;
            counts[domain] = counts.GetValueOrDefault(domain) + 1;
            return true;
        }
    }
}
