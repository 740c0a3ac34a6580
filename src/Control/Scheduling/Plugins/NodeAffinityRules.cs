using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>Node selector and node affinity. A node scores the share of the preferred terms' weight that it matches.</summary>
internal sealed class NodeAffinityRules : IPreFilterPlugin, IPreScorePlugin
{
    private static readonly Rejection Mismatch = new("node(s) didn't match Pod's node affinity/selector");

    public string Name => "NodeAffinity";

    public double Weight => 2;

    public ClusterEvents MayCure => ClusterEvents.NodeAdded | ClusterEvents.NodeLabelsChanged;

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot) =>
        pod.RequiredNodes is null ? PreFilterResult.Skip : PreFilterResult.Check(onlyNodes: pod.RequiredNodes.Names);

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state) => pod.RequiredNodes?.Matches(node) == false ? Mismatch : null;

    public PreScoreResult PreScore(PodInfo pod, ClusterSnapshot snapshot) => pod.PreferredNodes.Count == 0 ? PreScoreResult.Skip : PreScoreResult.Score();

    public double Score(PodInfo pod, NodeInfo node, object? state)
    {
        var matched = 0L;
        var all = 0L;
        foreach (var preferred in pod.PreferredNodes)
        {
            all += preferred.Weight;
            if (preferred.Term.Matches(node))
                matched += preferred.Weight;
        }

        return all == 0 ? 0 : (double)matched / all;
    }
}
