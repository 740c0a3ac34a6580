using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>Two pods cannot have the same port of a node (same protocol, same or any address).</summary>
internal sealed class HostPorts : IPreFilterPlugin
{
    private static readonly Rejection Taken = new("node(s) didn't have free ports for the requested pod ports");

    public string Name => "NodePorts";

    public ClusterEvents MayCure => ClusterEvents.NodeAdded | ClusterEvents.PodRemoved;

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot) => pod.HostPorts.Count == 0 ? PreFilterResult.Skip : PreFilterResult.Check();

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state)
    {
        foreach (var taken in node.HostPorts)
        {
            for (var i = 0; i < pod.HostPorts.Count; i++)
            {
                if (taken.Conflicts(pod.HostPorts[i]))
                    return Taken;
            }
        }

        return null;
    }
}
