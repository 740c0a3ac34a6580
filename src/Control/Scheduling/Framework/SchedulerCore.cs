using Weft.Control.Scheduling.Explain;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Framework;

/// <summary>
/// The decision, without I/O: filter, score, the best wins, ties by chance. The result depends on pod and snapshot alone, except for two things
/// that spread the load: chance among equals, and, where there are many nodes, the place in the ring of nodes from which the sample is taken.
/// One thread at a time; the arrays are kept from pod to pod, so that a decision allocates next to nothing.
/// </summary>
internal sealed class SchedulerCore
{
    // As kube-scheduler: below 100 nodes all are looked at; above, half of them minus one percent for each 125 nodes, but at least 5 %. A good node of a
    // large sample is nearly as good as the best of all, and the cost of a decision no longer grows with the cluster.
    private const int SampleAtLeast = 100;
    private const int NodesPerPercent = 125;

    private readonly SchedulingProfile _profile;
    private readonly Random _random;
    private readonly bool _sample;
    private readonly IFilterPlugin[] _filters;
    private readonly object?[] _filterStates;
    private readonly IScorePlugin[] _scores;
    private readonly object?[] _scoreStates;
    private int _next;

    /// <param name="sample">False looks at every node, as tests and what-if questions want it.</param>
    public SchedulerCore(SchedulingProfile profile, Random random, bool sample = true)
    {
        _profile = profile;
        _random = random;
        _sample = sample;
        _filters = new IFilterPlugin[profile.Filters.Length];
        _filterStates = new object?[profile.Filters.Length];
        _scores = new IScorePlugin[profile.Scores.Length];
        _scoreStates = new object?[profile.Scores.Length];
    }

    public SchedulingResult Schedule(PodInfo pod, ClusterSnapshot snapshot)
    {
        IReadOnlyList<string>? onlyNodes = null;
        var filters = 0;
        foreach (var plugin in _profile.Filters)
        {
            object? state = null;
            if (plugin is IPreFilterPlugin pre)
            {
                var result = pre.PreFilter(pod, snapshot);
                if (result.Rejection is not null)
                    return new SchedulingResult.Unschedulable(Diagnosis.OfPod(snapshot.Count, plugin, result.Rejection));
                if (result.Skips)
                    continue;
                state = result.State;
                if (result.OnlyNodes is not null && (onlyNodes is null || result.OnlyNodes.Count < onlyNodes.Count))
                    onlyNodes = result.OnlyNodes;
            }

            _filters[filters] = plugin;
            _filterStates[filters++] = state;
        }

        var search = new Search(pod, snapshot, this, filters, PrepareScores(pod, snapshot));
        if (onlyNodes is not null)
            search.Named(onlyNodes);
        else
            search.Ring();
        return search.Best is { } best
            ? new SchedulingResult.Placed(best.Name, search.BestScore, search.Feasible, search.Evaluated)
            : new SchedulingResult.Unschedulable(Diagnose(pod, snapshot, filters));
    }

    /// <summary>Whether the pod passes every filter on one node; for what-if questions, in which the snapshot is another each time.</summary>
    public bool Fits(PodInfo pod, ClusterSnapshot snapshot, NodeInfo node)
    {
        foreach (var plugin in _profile.Filters)
        {
            object? state = null;
            if (plugin is IPreFilterPlugin pre)
            {
                var result = pre.PreFilter(pod, snapshot);
                if (result.Rejection is not null || result.OnlyNodes is { } only && !only.Contains(node.Name))
                    return false;
                if (result.Skips)
                    continue;
                state = result.State;
            }

            if (plugin.Filter(pod, node, state) is not null)
                return false;
        }

        return true;
    }

    /// <summary>What each scorer says of a node, for explanations.</summary>
    public IReadOnlyList<PluginScore> Explain(PodInfo pod, ClusterSnapshot snapshot, NodeInfo node)
    {
        var scores = new List<PluginScore>(_profile.Scores.Length);
        foreach (var plugin in _profile.Scores)
        {
            var prepared = plugin is IPreScorePlugin pre ? pre.PreScore(pod, snapshot) : PreScoreResult.Score();
            if (!prepared.Skips)
                scores.Add(new(plugin.Name, plugin.Score(pod, node, prepared.State), plugin.Weight));
        }

        return scores;
    }

    private int PrepareScores(PodInfo pod, ClusterSnapshot snapshot)
    {
        var count = 0;
        foreach (var plugin in _profile.Scores)
        {
            object? state = null;
            if (plugin is IPreScorePlugin pre)
            {
                var result = pre.PreScore(pod, snapshot);
                if (result.Skips)
                    continue;
                state = result.State;
            }

            _scores[count] = plugin;
            _scoreStates[count++] = state;
        }

        return count;
    }

    private int Wanted(int nodes)
    {
        if (!_sample || nodes <= SampleAtLeast)
            return nodes;
        var percent = Math.Max(5, 50 - nodes / NodesPerPercent);
        return Math.Max(SampleAtLeast, (int)((long)nodes * percent / 100));
    }

    // Only when no node is left, so that the way to a placement keeps no notes. Every filter is asked about every node: the first that refuses is
    // what kubectl's message counts, all of them are what somebody who must repair it wants to see.
    private Diagnosis Diagnose(PodInfo pod, ClusterSnapshot snapshot, int filters)
    {
        var verdicts = new List<NodeVerdict>(snapshot.Count);
        var mayCure = ClusterEvents.NodeAdded;
        for (var i = 0; i < snapshot.Count; i++)
        {
            var refusals = new List<PluginVerdict>(1);
            for (var f = 0; f < filters; f++)
            {
                if (_filters[f].Filter(pod, snapshot[i], _filterStates[f]) is not { } rejection)
                    continue;
                refusals.Add(new(_filters[f].Name, rejection.Reasons));
                mayCure |= _filters[f].MayCure;
            }

            verdicts.Add(new(snapshot[i].Name, refusals));
        }

        return new Diagnosis(snapshot.Count, null, verdicts, mayCure);
    }

    /// <summary>One walk over nodes: filters each, scores what passes, keeps the best.</summary>
    private ref struct Search(PodInfo pod, ClusterSnapshot snapshot, SchedulerCore core, int filters, int scores)
    {
        private int _ties;

        public NodeInfo? Best { get; private set; }
        public double BestScore { get; private set; }
        public int Feasible { get; private set; }
        public int Evaluated { get; private set; }

        public void Named(IReadOnlyList<string> names)
        {
            foreach (var name in names)
            {
                if (snapshot.Find(name) is { } node)
                    Look(node);
            }
        }

        public void Ring()
        {
            var count = snapshot.Count;
            if (count == 0)
                return;
            var wanted = core.Wanted(count);
            var position = core._next % count;
            while (Evaluated < count && Feasible < wanted)
            {
                Look(snapshot[position]);
                if (++position == count)
                    position = 0;
            }

            core._next = position;
        }

        private void Look(NodeInfo node)
        {
            Evaluated++;
            for (var i = 0; i < filters; i++)
            {
                if (core._filters[i].Filter(pod, node, core._filterStates[i]) is not null)
                    return;
            }

            Feasible++;
            var score = 0.0;
            for (var i = 0; i < scores; i++)
                score += core._scores[i].Weight * core._scores[i].Score(pod, node, core._scoreStates[i]);
            if (Best is null || score > BestScore)
            {
                Best = node;
                BestScore = score;
                _ties = 1;
            }
            else if (score == BestScore && core._random.Next(++_ties) == 0)
            {
                Best = node; // the n-th of equals replaces with chance 1/n: each is as likely
            }
        }
    }
}
