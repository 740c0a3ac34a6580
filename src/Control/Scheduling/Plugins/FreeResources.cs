using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>
/// The seeds' rule: collect what each node has free (processor, memory, disk) and what the pod asks for, score each node by both, the best wins.
/// <code>
/// score(node) = 1/|R| * sum over r in R of clamp((allocatable_r - used_r - pod_r) / allocatable_r, 0, 1)
/// </code>
/// R: cpu and memory, and of disk and extended resources those that the pod asks for, as far as the node offers them; an empty R scores 0.
/// Property: more load (a larger used_r, for any r) never scores better, since every term falls or stays as used_r grows. Pods that ask for no
/// cpu or memory count with an assumed amount, or they would all be free and pile up on one node.
/// </summary>
internal sealed class FreeResources(ResourceNames resources) : IPreScorePlugin
{
    private static readonly int[] None = [];

    public string Name => "FreeResources";

    public double Weight => 1;

    public PreScoreResult PreScore(PodInfo pod, ClusterSnapshot snapshot)
    {
        if (pod.Others.Count == 0)
            return PreScoreResult.Score(None);
        return PreScoreResult.Score(pod.Others.Select(one => resources.Find(one.Name)).ToArray());
    }

    public double Score(PodInfo pod, NodeInfo node, object? state)
    {
        var sum = 0.0;
        var count = 0;
        Add(node.Offered(ResourceNames.Cpu), node.ScoringCpu, pod.ScoringCpu, ref sum, ref count);
        Add(node.Offered(ResourceNames.Memory), node.ScoringMemory, pod.ScoringMemory, ref sum, ref count);
        if (pod.EphemeralStorage > 0)
            Add(node, ResourceNames.EphemeralStorage, pod.EphemeralStorage, ref sum, ref count);
        var others = (int[])state!;
        for (var i = 0; i < others.Length; i++)
            Add(node, others[i], pod.Others[i].Amount, ref sum, ref count);
        return count == 0 ? 0 : sum / count;
    }

    private static void Add(NodeInfo node, int resource, long wanted, ref double sum, ref int count)
    {
        var offered = node.Offered(resource);
        Add(offered, offered - node.Free(resource), wanted, ref sum, ref count);
    }

    private static void Add(long offered, long used, long wanted, ref double sum, ref int count)
    {
        if (offered <= 0)
            return;
        count++;
        sum += Math.Clamp(((double)offered - used - wanted) / offered, 0, 1);
    }
}
