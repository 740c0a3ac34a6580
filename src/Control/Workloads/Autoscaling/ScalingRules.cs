using Weft.Api.Autoscaling;

namespace Weft.Control.Workloads;

/// <summary>A number of copies, and why it is not another.</summary>
/// <param name="IsLimited">Something else was wanted.</param>
internal sealed record Bounded(int Replicas, bool IsLimited, string Reason, string Message);

/// <summary>How fast the number of copies may change: `spec.behavior`, or what counts without it. Pure.</summary>
internal sealed class ScalingRules
{
    // --horizontal-pod-autoscaler-downscale-stabilization.
    private const int DownWindow = 300;

    // pkg/apis/autoscaling/v2/defaults.go: what an absent behavior means.
    private static readonly HPAScalingPolicy FourPods = new() { Type = "Pods", Value = 4, PeriodSeconds = 15 };
    private static readonly HPAScalingPolicy Double = new() { Type = "Percent", Value = 100, PeriodSeconds = 15 };

    private readonly HPAScalingRules _up, _down;

    public ScalingRules(HorizontalPodAutoscalerBehavior? behavior)
    {
        _up = WithDefaults(behavior?.ScaleUp, 0, [FourPods, Double]);
        _down = WithDefaults(behavior?.ScaleDown, DownWindow, [Double]);
        Tolerances = new Tolerances(Tolerance(_down), Tolerance(_up));
    }

    public Tolerances Tolerances { get; }

    /// <summary>The number of the windows: upwards no more than the least that was wanted lately, downwards no less than the most.</summary>
    public Bounded Stabilize(int current, int wanted, AutoscalerHistory history, DateTimeOffset now)
    {
        var (least, most) = (wanted, wanted);
        foreach (var (at, replicas) in history.Recommendations)
        {
            if (at > now.AddSeconds(-_up.StabilizationWindowSeconds!.Value))
                least = Math.Min(least, replicas);
            if (at > now.AddSeconds(-_down.StabilizationWindowSeconds!.Value))
                most = Math.Max(most, replicas);
        }
        var stable = Math.Min(Math.Max(current, least), most);
        if (stable == wanted)
            return new Bounded(stable, false, "ReadyForNewScale", "recommended size matches current size");
        return wanted >= current
            ? new Bounded(stable, true, "ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation")
            : new Bounded(stable, true, "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation");
    }

    /// <summary>The number within policies and bounds.</summary>
    /// <param name="current">Within the bounds.</param>
    public Bounded Limit(int current, int wanted, int min, int max, AutoscalerHistory history, DateTimeOffset now)
    {
        if (wanted > current)
        {
            var rate = Math.Max(current, UpLimit(current, history, now));
            var most = Math.Min(max, rate);
            if (wanted > most)
            {
                return rate < max
                    ? new Bounded(most, true, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
                    : new Bounded(most, true, "TooManyReplicas", "the desired replica count is more than the maximum replica count");
            }
        }
        else if (wanted < current)
        {
            var rate = Math.Min(current, DownLimit(current, history, now));
            var least = Math.Max(min, rate);
            if (wanted < least)
            {
                return rate > min
                    ? new Bounded(least, true, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
                    : new Bounded(least, true, "TooFewReplicas", "the desired replica count is less than the minimum replica count");
            }
        }
        return new Bounded(wanted, false, "DesiredWithinRange", "the desired count is within the acceptable range");
    }

    private int UpLimit(int current, AutoscalerHistory history, DateTimeOffset now) => Select(_up, current, least: _up.SelectPolicy == "Min", policy =>
    {
        var before = Before(current, policy, history, now);
        return policy.Type == "Pods" ? before + (long)policy.Value : (long)Math.Ceiling(before * (1 + policy.Value / 100.0));
    });

    private int DownLimit(int current, AutoscalerHistory history, DateTimeOffset now) => Select(_down, current, least: _down.SelectPolicy != "Min", policy =>
    {
        var before = Before(current, policy, history, now);
        return policy.Type == "Pods" ? before - (long)policy.Value : (long)(before * (1 - policy.Value / 100.0));
    });

    // What there was when the policy's period began.
    private static int Before(int current, HPAScalingPolicy policy, AutoscalerHistory history, DateTimeOffset now) =>
        current - history.ChangedSince(now.AddSeconds(-policy.PeriodSeconds));

    private static int Select(HPAScalingRules rules, int current, bool least, Func<HPAScalingPolicy, long> limit)
    {
        if (rules.SelectPolicy == "Disabled" || rules.Policies.Count == 0)
            return current;
        var limits = rules.Policies.Select(limit);
        return (int)Math.Clamp(least ? limits.Min() : limits.Max(), 0, int.MaxValue);
    }

    private static HPAScalingRules WithDefaults(HPAScalingRules? rules, int window, IReadOnlyList<HPAScalingPolicy> policies) => (rules ?? new HPAScalingRules()) with
    {
        StabilizationWindowSeconds = rules?.StabilizationWindowSeconds ?? window,
        SelectPolicy = rules?.SelectPolicy ?? "Max",
        Policies = rules is { Policies.Count: > 0 } ? rules.Policies : policies,
    };

    private static double Tolerance(HPAScalingRules rules) => rules.Tolerance is { } share ? share.Milli / 1000.0 : Tolerances.Usual;
}
