using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>A pod that names its node goes there or nowhere. The scheduler is not asked about such pods; what-if questions are.</summary>
internal sealed class NodeName : IPreFilterPlugin
{
    private static readonly Rejection Other = new("node(s) didn't match the requested node name");

    public string Name => "NodeName";

    public ClusterEvents MayCure => ClusterEvents.NodeAdded;

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot) =>
        string.IsNullOrEmpty(pod.Pod.Spec.NodeName) ? PreFilterResult.Skip : PreFilterResult.Check(onlyNodes: [pod.Pod.Spec.NodeName]);

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state) => node.Name == pod.Pod.Spec.NodeName ? null : Other;
}
