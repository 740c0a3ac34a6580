using Weft.Control.Scheduling.Matching;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>
/// How many pods of a spread constraint each domain has, kept from pod to pod: the next one of a Deployment looks only at the chunks of nodes that are
/// not the same as last time, in place of all pods of all nodes.
/// </summary>
internal sealed class DomainIndex
{
    // Constraints kept, each with the nodes that it has seen. Beyond that many Deployments with constraints in one queue, counting starts anew.
    private const int Capacity = 256;

    private readonly Dictionary<string, DomainCounts> _known = [];

    public DomainCounts Of(SpreadConstraint constraint, PodInfo pod, ClusterSnapshot snapshot)
    {
        // What counts then depends on the pod's own node affinity or tolerations: counted for it alone.
        if (constraint.HonorsTaints || constraint.HonorsAffinity && pod.RequiredNodes is not null)
        {
            var own = new DomainCounts(constraint, pod);
            own.Follow(snapshot);
            return own;
        }

        if (!_known.TryGetValue(constraint.Identity, out var counts))
        {
            if (_known.Count >= Capacity)
                _known.Clear();
            _known.Add(constraint.Identity, counts = new DomainCounts(constraint, null));
        }

        counts.Follow(snapshot);
        return counts;
    }
}

/// <summary>Pods by domain, as of the snapshot that was followed last.</summary>
/// <param name="pod">Whose affinity and tolerations decide which nodes count; null when they do not.</param>
internal sealed class DomainCounts(SpreadConstraint constraint, PodInfo? pod)
{
    private readonly Dictionary<string, (int Pods, int Nodes)> _domains = [];
    private NodeInfo[]?[] _seen = [];
    private int? _least;

    public int Number => _domains.Count;

    public int Least => _least ??= _domains.Count == 0 ? 0 : _domains.Values.Min(domain => domain.Pods);

    public int Count(string domain) => _domains.TryGetValue(domain, out var found) ? found.Pods : 0;

    public void Follow(ClusterSnapshot snapshot)
    {
        var chunks = snapshot.Chunks;
        for (var i = chunks.Length; i < _seen.Length; i++)
            Follow(_seen[i] ?? [], []);
        if (_seen.Length != chunks.Length)
            Array.Resize(ref _seen, chunks.Length);
        for (var i = 0; i < chunks.Length; i++)
        {
            if (ReferenceEquals(_seen[i], chunks[i]))
                continue;
            Follow(_seen[i] ?? [], chunks[i]);
            _seen[i] = chunks[i];
        }
    }

    private void Follow(NodeInfo[] before, NodeInfo[] now)
    {
        for (var i = 0; i < Math.Max(before.Length, now.Length); i++)
        {
            var (old, @new) = (i < before.Length ? before[i] : null, i < now.Length ? now[i] : null);
            if (ReferenceEquals(old, @new))
                continue;
            Add(old, -1);
            Add(@new, 1);
        }
    }

    private void Add(NodeInfo? node, int sign)
    {
        // A chunk that is not full ends in nulls.
        if (node is null || !node.Labels.TryGetValue(constraint.TopologyKey, out var domain) || !Counts(node))
            return;
        var pods = 0;
        foreach (var other in node.Pods)
        {
            if (constraint.Counts(other))
                pods++;
        }

        var known = _domains.GetValueOrDefault(domain);
        known = (known.Pods + sign * pods, known.Nodes + sign);
        if (known.Nodes == 0)
            _domains.Remove(domain);
        else
            _domains[domain] = known;
        _least = null;
    }

    private bool Counts(NodeInfo node) =>
        pod is null
        || (!constraint.HonorsAffinity || pod.RequiredNodes?.Matches(node) != false)
        && (!constraint.HonorsTaints || TaintToleration.FirstUntolerated(pod, node) is null);
}
