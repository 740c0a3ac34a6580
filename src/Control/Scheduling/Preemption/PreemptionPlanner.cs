using System.Collections.Immutable;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Preemption;

/// <summary>A budget as preemption sees it: whose pods, and how many of them may go.</summary>
internal sealed record PodBudget(string Namespace, Func<IReadOnlyDictionary<string, string>, bool> Matches, int Allowed, IReadOnlySet<string> Disrupted);

/// <param name="Violations">Victims whose budget does not allow it.</param>
internal sealed record PreemptionPlan(string Node, ImmutableArray<PodInfo> Victims, int Violations);

/// <summary>
/// For a pod that fits nowhere: the node where the least has to go so that it fits, and the pods that go. Only pods of lower priority go, and only as many as
/// needed. Pure; the order of what counts as least is kube-scheduler's.
/// </summary>
internal static class PreemptionPlanner
{
    // kube-scheduler: a tenth of the nodes, but at least 100. Each costs several looks through all filters.
    private const int CandidatesAtLeast = 100;

    /// <param name="fits">Whether the pod passes all filters on that node of a snapshot.</param>
    public static PreemptionPlan? Plan(PodInfo pod, ClusterSnapshot snapshot, IReadOnlyList<PodBudget> budgets, Func<PodInfo, ClusterSnapshot, NodeInfo, bool> fits)
    {
        if (pod.Pod.Spec.PreemptionPolicy == "Never")
            return null;
        PreemptionPlan? best = null;
        var left = Math.Max(CandidatesAtLeast, snapshot.Count / 10);
        for (var i = 0; i < snapshot.Count && left > 0; i++)
        {
            if (!HasLower(snapshot[i], pod.Priority))
                continue;
            if (OnNode(pod, snapshot, snapshot[i], budgets, fits) is not { } plan)
                continue;
            left--;
            if (best is null || Order.Compare(plan, best) < 0)
                best = plan;
        }
        return best;
    }

    private static PreemptionPlan? OnNode(PodInfo pod, ClusterSnapshot snapshot, NodeInfo node, IReadOnlyList<PodBudget> budgets, Func<PodInfo, ClusterSnapshot, NodeInfo, bool> fits)
    {
        var lower = node.Pods.Where(other => other.Priority < pod.Priority).ToList();
        var bare = lower.Aggregate(node, (rest, other) => rest.Without(other.Uid));
        if (!Fits(bare))
            return null;

        // All but what has to go comes back: first those whose budget forbids it, the most important before the others.
        var ranked = lower.OrderByDescending(other => other.Priority).ThenBy(Started).ThenBy(other => other.Uid, StringComparer.Ordinal).ToList();
        var forbidden = Forbidden(ranked, budgets);
        var victims = ImmutableArray.CreateBuilder<PodInfo>();
        var violations = 0;
        foreach (var other in ranked.Where(forbidden.Contains).Concat(ranked.Where(o => !forbidden.Contains(o))))
        {
            var with = bare.With(other);
            if (Fits(with))
            {
                bare = with;
                continue;
            }
            victims.Add(other);
            violations += forbidden.Contains(other) ? 1 : 0;
        }
        // None: something else than room kept the pod away, and it is gone with the node's pods counted anew.
        return victims.Count == 0 ? null : new(node.Name, [.. victims.OrderByDescending(v => v.Priority).ThenBy(Started)], violations);

        bool Fits(NodeInfo changed) => fits(pod, snapshot.With(changed), changed);
    }

    // In a cluster without priorities this is all that a pod without a node costs.
    private static bool HasLower(NodeInfo node, int priority)
    {
        foreach (var pod in node.Pods)
        {
            if (pod.Priority < priority)
                return true;
        }
        return false;
    }

    private static HashSet<PodInfo> Forbidden(IReadOnlyList<PodInfo> pods, IReadOnlyList<PodBudget> budgets)
    {
        var allowed = budgets.Select(budget => budget.Allowed).ToArray();
        var found = new HashSet<PodInfo>();
        foreach (var pod in pods)
        {
            for (var i = 0; i < budgets.Count; i++)
            {
                // One that is going already was counted when it was let go.
                if (budgets[i].Namespace != pod.Key.Namespace || budgets[i].Disrupted.Contains(pod.Key.Name) || !budgets[i].Matches(pod.Labels))
                    continue;
                if (--allowed[i] < 0)
                    found.Add(pod);
            }
        }
        return found;
    }

    private static DateTimeOffset Started(PodInfo pod) => pod.Pod.Status.StartTime ?? pod.Pod.Metadata.CreationTimestamp ?? DateTimeOffset.MaxValue;

    // Fewest broken budgets, then the lowest highest priority, the lowest sum, the fewest pods, and among equals whoever has worked for the shortest time.
    private static readonly Comparer<PreemptionPlan> Order = Comparer<PreemptionPlan>.Create((a, b) =>
    {
        var order = a.Violations.CompareTo(b.Violations);
        if (order == 0)
            order = a.Victims[0].Priority.CompareTo(b.Victims[0].Priority);
        if (order == 0)
            order = Sum(a).CompareTo(Sum(b));
        if (order == 0)
            order = a.Victims.Length.CompareTo(b.Victims.Length);
        return order != 0 ? order : Started(b.Victims[0]).CompareTo(Started(a.Victims[0]));
    });

    // Every priority is above this, so that more pods never weigh less.
    private static long Sum(PreemptionPlan plan) => plan.Victims.Sum(victim => (long)victim.Priority - int.MinValue);
}
