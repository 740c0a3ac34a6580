using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>Taints keep pods away that do not tolerate them; soft taints (PreferNoSchedule) make a node worse: 1 / (1 + how many are not tolerated).</summary>
internal sealed class TaintToleration : IPreFilterPlugin, IPreScorePlugin
{
    public string Name => "TaintToleration";

    public double Weight => 3;

    public ClusterEvents MayCure => ClusterEvents.NodeAdded | ClusterEvents.NodeTaintsChanged;

    public PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot) =>
        snapshot.GuardedNodes == 0 ? PreFilterResult.Skip : PreFilterResult.Check();

    public Rejection? Filter(PodInfo pod, NodeInfo node, object? state) => FirstUntolerated(pod, node)?.Untolerated;

    public static TaintInfo? FirstUntolerated(PodInfo pod, NodeInfo node)
    {
        foreach (var taint in node.HardTaints)
        {
            if (!Tolerates(pod.Pod.Spec.Tolerations, taint))
                return taint;
        }

        return null;
    }

    public PreScoreResult PreScore(PodInfo pod, ClusterSnapshot snapshot) =>
        snapshot.SoftTaintedNodes == 0 ? PreScoreResult.Skip : PreScoreResult.Score();

    public double Score(PodInfo pod, NodeInfo node, object? state)
    {
        var untolerated = 0;
        foreach (var taint in node.SoftTaints)
        {
            if (!Tolerates(pod.Pod.Spec.Tolerations, taint))
                untolerated++;
        }

        return 1.0 / (1 + untolerated);
    }

    public static bool Tolerates(IReadOnlyList<Toleration> tolerations, TaintInfo taint)
    {
        for (var i = 0; i < tolerations.Count; i++)
        {
            var toleration = tolerations[i];
            if (!string.IsNullOrEmpty(toleration.Effect) && toleration.Effect != taint.Effect)
                continue;
            if (!string.IsNullOrEmpty(toleration.Key) && toleration.Key != taint.Key)
                continue;
            if (toleration.Operator == "Exists")
                return true;
            if (toleration.Operator is null or "" or "Equal" && !string.IsNullOrEmpty(toleration.Key) && (toleration.Value ?? "") == taint.Value)
                return true;
        }

        return false;
    }
}
