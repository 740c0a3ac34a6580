using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>`kubectl cordon`: the node takes no pods, except those that tolerate being there (DaemonSets).</summary>
internal sealed class NodeUnschedulable : IPreFilterPlugin
{
    private static readonly TaintInfo Cordon = new("node.kubernetes.io/unschedulable", "", "NoSchedule");
    private static readonly Rejection Cordoned = new("node(s) were unschedulable");

    public string Name => "NodeUnschedulable";

    public ClusterEvents MayCure => ClusterEvents.NodeAdded | ClusterEvents.NodeTaintsChanged;

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot) =>
        snapshot.GuardedNodes == 0 || TaintToleration.Tolerates(pod.Pod.Spec.Tolerations, Cordon) ? PreFilterResult.Skip : PreFilterResult.Check();

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state) => node.Unschedulable ? Cordoned : null;
}
