using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Policy;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>How many pods of a budget may go now. Pure.</summary>
public static class BudgetPlanner
{
    // As Kubernetes: a pod that was let go and is still there after this was not deleted after all.
    private static readonly TimeSpan DisruptionTimeout = TimeSpan.FromMinutes(2);

    /// <param name="pods">Pods that the budget selects.</param>
    /// <param name="wanted">Pods that the workloads of these pods want; counts where the budget is a share or a number of missing pods.</param>
    public static (PodDisruptionBudgetStatus Status, TimeSpan? LookAgainIn) Plan(PodDisruptionBudget budget, IReadOnlyList<Pod> pods, int wanted, DateTimeOffset now)
    {
        var live = pods.Where(pod => !pod.IsFinished()).ToList();
        var (expected, desired) = Amounts(budget, live.Count, wanted);
        var disrupted = new Dictionary<string, DateTimeOffset>();
        TimeSpan? again = null;
        foreach (var (name, at) in budget.Status.DisruptedPods)
        {
            var left = at + DisruptionTimeout - now;
            if (left <= TimeSpan.Zero || live.Find(pod => pod.Metadata.Name == name) is not { } pod || pod.IsTerminating())
                continue;
            disrupted[name] = at;
            again = again is { } sooner && sooner < left ? sooner : left;
        }

        var healthy = live.Count(pod => pod.IsReady() && !pod.IsTerminating() && !disrupted.ContainsKey(pod.Metadata.Name ?? ""));
        var allowed = expected <= 0 ? 0 : Math.Max(0, healthy - desired);
        return (budget.Status with
        {
            ObservedGeneration = budget.Metadata.Generation,
            CurrentHealthy = healthy,
            DesiredHealthy = desired,
            ExpectedPods = expected,
            DisruptionsAllowed = allowed,
            DisruptedPods = disrupted,
            Conditions = Conditions(budget, allowed > 0, now),
        }, again);
    }

    private static (int Expected, int Desired) Amounts(PodDisruptionBudget budget, int count, int wanted)
    {
        if (budget.Spec.MaxUnavailable is { } missing)
            return (wanted, Math.Max(0, wanted - (missing.ScaledBy(wanted, roundUp: true) ?? 0)));
        if (budget.Spec.MinAvailable is not { } least)
            return (count, 0);
        return least.IsInt ? (count, least.Number) : (wanted, least.ScaledBy(wanted, roundUp: true) ?? 0);
    }

    private static List<Condition> Conditions(PodDisruptionBudget budget, bool allowed, DateTimeOffset now)
    {
        var before = budget.Status.Conditions.FirstOrDefault(condition => condition.Type == "DisruptionAllowed");
        var status = allowed ? "True" : "False";
        return
        [
            .. budget.Status.Conditions.Where(condition => condition.Type != "DisruptionAllowed"),
            new Condition
            {
                Type = "DisruptionAllowed", Status = status, Reason = allowed ? "SufficientPods" : "InsufficientPods", Message = "",
                ObservedGeneration = budget.Metadata.Generation,
                LastTransitionTime = before?.Status == status ? before.LastTransitionTime : now,
            },
        ];
    }
}
