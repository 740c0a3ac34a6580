using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>A pod with scheduling gates is not placed until the last is taken away. Only a change of the pod itself helps.</summary>
internal sealed class SchedulingGates : IPreFilterPlugin
{
    private static readonly Rejection Gated = new("Scheduling is blocked due to non-empty scheduling gates");

    public string Name => "SchedulingGates";

    public ClusterEvents MayCure => ClusterEvents.None;

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot) =>
        IsGated(pod) ? PreFilterResult.Reject(Gated) : PreFilterResult.Skip;

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state) => IsGated(pod) ? Gated : null;

    public static bool IsGated(PodInfo pod) => pod.Pod.Spec.SchedulingGates.Count > 0;
}
