using System.Text;
using Weft.Control.Scheduling.Framework;

namespace Weft.Control.Scheduling.Explain;

/// <summary>One plugin's refusal of a node.</summary>
public sealed record PluginVerdict(string Plugin, IReadOnlyList<string> Reasons);

/// <summary>All refusals of a node, in the order of the filters.</summary>
public sealed record NodeVerdict(string Node, IReadOnlyList<PluginVerdict> Refusals);

/// <summary>What a scorer said of a node: 0 to 1, times its weight.</summary>
public sealed record PluginScore(string Plugin, double Score, double Weight);

/// <summary>Why no node would do.</summary>
internal sealed record Diagnosis(int Nodes, PluginVerdict? Pod, IReadOnlyList<NodeVerdict> Verdicts, ClusterEvents MayCure)
{
    /// <summary>A refusal that holds for every node.</summary>
    public static Diagnosis OfPod(int nodes, IFilterPlugin plugin, Rejection rejection) =>
        new(nodes, new(plugin.Name, rejection.Reasons), [], plugin.MayCure);

    public bool IsGated => Pod?.Plugin == "SchedulingGates";

    /// <summary>The sentence of the pod's condition, in the shape that tools and people know from kube-scheduler.</summary>
    public string Message
    {
        get
        {
            if (IsGated)
                return Pod!.Reasons[0];
            if (Nodes == 0)
                return "no nodes available to schedule pods";
            var text = new StringBuilder().Append("0/").Append(Nodes).Append(" nodes are available: ");
            if (Pod is not null)
                return text.AppendJoin(", ", Pod.Reasons).Append('.').ToString();

            var counts = new Dictionary<string, int>();
            foreach (var verdict in Verdicts)
            {
                foreach (var reason in verdict.Refusals.Count == 0 ? [] : verdict.Refusals[0].Reasons)
                    counts[reason] = counts.GetValueOrDefault(reason) + 1;
            }

            return text.AppendJoin(", ", counts.Select(one => $"{one.Value} {one.Key}").Order(StringComparer.Ordinal)).Append('.').ToString();
        }
    }
}
