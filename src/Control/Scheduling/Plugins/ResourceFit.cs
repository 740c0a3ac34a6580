using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>What the pod sets aside must be free on the node. What a pod does not ask for is not checked, so a node that is overfull in one resource still takes it.</summary>
internal sealed class ResourceFit(ResourceNames resources) : IPreFilterPlugin
{
    private static readonly string[] WellKnown = ["Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage", "Too many pods"];

    public string Name => "NodeResourcesFit";

    public ClusterEvents MayCure => ClusterEvents.NodeAdded | ClusterEvents.NodeAllocatableChanged | ClusterEvents.PodRemoved;

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot) => PreFilterResult.Check(new Wanted(pod, resources));

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state)
    {
        var wanted = (Wanted)state!;
        if (Fits(pod.Cpu, node.Free(ResourceNames.Cpu)) && Fits(pod.Memory, node.Free(ResourceNames.Memory))
            && Fits(pod.EphemeralStorage, node.Free(ResourceNames.EphemeralStorage)) && node.Free(ResourceNames.Pods) >= 1
            && (wanted.Others.Length == 0 || FitsOthers(node, wanted)))
            return null;
        return wanted.Explain(pod, node);
    }

    private static bool Fits(long wanted, long free) => wanted == 0 || wanted <= free;

    private static bool FitsOthers(NodeInfo node, Wanted wanted)
    {
        foreach (var (resource, amount, _) in wanted.Others)
        {
            if (amount > node.Free(resource))
                return false;
        }

        return true;
    }

    /// <summary>The pod's extended resources by number, and one rejection for each set of resources that was missing somewhere.</summary>
    private sealed class Wanted
    {
        private readonly Dictionary<ulong, Rejection> _rejections = [];

        public Wanted(PodInfo pod, ResourceNames resources)
        {
            if (pod.Others.Count == 0)
                return;
            // -1, a name that no node offers, has nothing free on any node.
            Others = [.. pod.Others.Select(one => (resources.Find(one.Name), one.Amount, "Insufficient " + one.Name))];
        }

        public (int Resource, long Amount, string Reason)[] Others { get; } = [];

        public Rejection Explain(PodInfo pod, NodeInfo node)
        {
            var missing = Bit(0, !Fits(pod.Cpu, node.Free(ResourceNames.Cpu))) | Bit(1, !Fits(pod.Memory, node.Free(ResourceNames.Memory)))
                | Bit(2, !Fits(pod.EphemeralStorage, node.Free(ResourceNames.EphemeralStorage))) | Bit(3, node.Free(ResourceNames.Pods) < 1);
            for (var i = 0; i < Others.Length; i++)
                missing |= Bit(Math.Min(4 + i, 63), Others[i].Amount > node.Free(Others[i].Resource));
            if (!_rejections.TryGetValue(missing, out var rejection))
            {
                var reasons = WellKnown.Concat(Others.Select(one => one.Reason)).Take(64);
                _rejections[missing] = rejection = new([.. reasons.Where((_, number) => (missing & (1UL << number)) != 0)]);
            }

            return rejection;
        }

        private static ulong Bit(int number, bool set) => set ? 1UL << number : 0;
    }
}
