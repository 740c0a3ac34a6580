using Weft.Api.Autoscaling;

namespace Weft.Control.Workloads;

/// <summary>From what was measured to a number of copies, with conditions and events in Kubernetes' words. Pure.</summary>
public static class AutoscalingPlanner
{
    public static AutoscalingPlan Plan(AutoscalerInputs inputs, DateTimeOffset now)
    {
        var (autoscaler, current) = (inputs.Autoscaler, inputs.Scale.Replicas);
        var (min, max) = (autoscaler.Spec.MinReplicas ?? 1, autoscaler.Spec.MaxReplicas);
        var conditions = new AutoscalerConditions(autoscaler.Status.Conditions, now);
        conditions.Set("AbleToScale", true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");

        if (current == 0 && min > 0)
        {
            conditions.Set("ScalingActive", false, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero");
            return Stay(inputs, 0, conditions, autoscaler.Status.CurrentMetrics, [], AutoscalerHistory.Empty);
        }
        // Before the bounds: those of two autoscalers may have no number in common.
        if (inputs.Others.Count > 0)
            return Ambiguous(inputs, conditions);
        if (current > max)
            return Move(inputs, max, "Current number of replicas above Spec.MaxReplicas", conditions, autoscaler.Status.CurrentMetrics, [], inputs.History, now);
        if (current < min)
            return Move(inputs, min, "Current number of replicas below Spec.MinReplicas", conditions, autoscaler.Status.CurrentMetrics, [], inputs.History, now);

        var rules = new ScalingRules(autoscaler.Spec.Behavior);
        var (wanted, metrics, events) = ByMetrics(inputs, rules.Tolerances, conditions, now);
        if (wanted is null)
            return Stay(inputs, autoscaler.Status.DesiredReplicas, conditions, metrics, events, inputs.History);

        // The first look after a start remembers what there is.
        var history = inputs.History.Recommendations.IsEmpty ? inputs.History.Recommended(current, now) : inputs.History;
        var stable = rules.Stabilize(current, wanted.Replicas, history, now);
        history = history.Recommended(wanted.Replicas, now);
        conditions.Set("AbleToScale", true, stable.Reason, stable.Message);
        var limited = rules.Limit(current, stable.Replicas, min, max, history, now);
        conditions.Set("ScalingLimited", limited.IsLimited, limited.Reason, limited.Message);
        var why = wanted.Replicas > current ? $"{wanted.Name} above target" : "All metrics below target";
        return limited.Replicas == current
            ? Stay(inputs, current, conditions, metrics, events, history)
            : Move(inputs, limited.Replicas, why, conditions, metrics, events, history, now);
    }

    /// <summary>The workload's scale cannot be read.</summary>
    public static AutoscalingPlan WithoutScale(HorizontalPodAutoscaler autoscaler, string why, AutoscalerHistory history, DateTimeOffset now)
    {
        var conditions = new AutoscalerConditions(autoscaler.Status.Conditions, now);
        conditions.Set("AbleToScale", false, "FailedGetScale", $"the HPA controller was unable to get the target's current scale: {why}");
        return new AutoscalingPlan(null, "", autoscaler.Status with { ObservedGeneration = autoscaler.Metadata.Generation, Conditions = conditions.All },
            [new AutoscalerEvent(true, "FailedGetScale", why)], history);
    }

    /// <summary>The change of a plan was refused: nothing has changed, and the status says so.</summary>
    public static AutoscalingPlan Refused(AutoscalingPlan plan, AutoscalerInputs inputs, string why, DateTimeOffset now)
    {
        var conditions = new AutoscalerConditions(inputs.Autoscaler.Status.Conditions, now);
        foreach (var condition in plan.Status.Conditions)
            conditions.Set(condition.Type, condition.Status == "True", condition.Reason ?? "", condition.Message ?? "");
        conditions.Set("AbleToScale", false, "FailedUpdateScale", $"the HPA controller was unable to update the target scale: {why}");
        return plan with
        {
            ScaleTo = null,
            Status = plan.Status with { LastScaleTime = inputs.Autoscaler.Status.LastScaleTime, DesiredReplicas = inputs.Scale.Replicas, Conditions = conditions.All },
            Events = [.. plan.Events.Where(told => told.Reason != "SuccessfulRescale"), new AutoscalerEvent(true, "FailedRescale", $"New size: {plan.ScaleTo}; reason: {plan.Reason}; error: {why}")],
            History = plan.History with { Changes = inputs.History.Changes },
        };
    }

    private static (MetricProposal.Wants? Wanted, IReadOnlyList<MetricStatus> Metrics, IReadOnlyList<AutoscalerEvent> Events) ByMetrics(
        AutoscalerInputs inputs, Tolerances tolerances, AutoscalerConditions conditions, DateTimeOffset now)
    {
        if (inputs.Scale.Selector.Length == 0)
        {
            const string Missing = "the HPA target's scale is missing a selector";
            conditions.Set("ScalingActive", false, "InvalidSelector", Missing);
            return (null, [], [new AutoscalerEvent(true, "SelectorRequired", "selector is required"), Failure(Missing)]);
        }

        var evaluator = new MetricEvaluator(inputs, tolerances, now);
        var proposals = inputs.Autoscaler.Spec.Metrics.Zip(inputs.Readings, evaluator.Evaluate).ToList();
        var valid = proposals.OfType<MetricProposal.Wants>().ToList();
        var failed = proposals.OfType<MetricProposal.Nothing>().ToList();
        var metrics = valid.Select(proposal => proposal.Status).ToList();
        List<AutoscalerEvent> events = [.. failed.Select(proposal => new AutoscalerEvent(true, proposal.Reason, proposal.Why))];
        if (failed.Count > 0)
            events.Add(Failure($"invalid metrics ({failed.Count} invalid out of {proposals.Count}), first error is: {failed[0].Why}"));

        var highest = valid.MaxBy(proposal => proposal.Replicas);
        // What is not known might want more: with a metric missing nothing is taken away.
        if (highest is null || failed.Count > 0 && highest.Replicas < inputs.Scale.Replicas)
        {
            var (reason, why) = failed.Count > 0 ? (failed[0].Reason, failed[0].Why) : ("InvalidMetricSourceType", "there are no metrics");
            conditions.Set("ScalingActive", false, reason, $"the HPA was unable to compute the replica count: {why}");
            return (null, metrics, events);
        }

        conditions.Set("ScalingActive", true, "ValidMetricFound", $"the HPA was able to successfully calculate a replica count from {highest.Name}");
        return (highest, metrics, events);
    }

    private static AutoscalingPlan Ambiguous(AutoscalerInputs inputs, AutoscalerConditions conditions)
    {
        var autoscaler = inputs.Autoscaler;
        var all = inputs.Others.Append(autoscaler.Metadata.Name ?? "").Order(StringComparer.Ordinal).Select(name => $"{autoscaler.Metadata.Namespace}/{name}");
        var why = $"pods by selector {inputs.Scale.Selector} are controlled by multiple HPAs: [{string.Join(' ', all)}]";
        conditions.Set("ScalingActive", false, "AmbiguousSelector", why);
        return Stay(inputs, autoscaler.Status.DesiredReplicas, conditions, [], [new AutoscalerEvent(true, "AmbiguousSelector", why), Failure(why)], inputs.History);
    }

    private static AutoscalerEvent Failure(string message) => new(true, "FailedComputeMetricsReplicas", message);

    private static AutoscalingPlan Stay(
        AutoscalerInputs inputs, int desired, AutoscalerConditions conditions, IReadOnlyList<MetricStatus> metrics, IReadOnlyList<AutoscalerEvent> events, AutoscalerHistory history) =>
        new(null, "", Status(inputs, desired, conditions, metrics), events, history);

    private static AutoscalingPlan Move(
        AutoscalerInputs inputs, int to, string why, AutoscalerConditions conditions, IReadOnlyList<MetricStatus> metrics, IReadOnlyList<AutoscalerEvent> events,
        AutoscalerHistory history, DateTimeOffset now)
    {
        conditions.Set("AbleToScale", true, "SucceededRescale", $"the HPA controller was able to update the target scale to {to}");
        return new AutoscalingPlan(to, why, Status(inputs, to, conditions, metrics) with { LastScaleTime = now },
            [.. events, new AutoscalerEvent(false, "SuccessfulRescale", $"New size: {to}; reason: {why}")], history.Scaled(to - inputs.Scale.Replicas, now));
    }

    private static HorizontalPodAutoscalerStatus Status(AutoscalerInputs inputs, int desired, AutoscalerConditions conditions, IReadOnlyList<MetricStatus> metrics) =>
        inputs.Autoscaler.Status with
        {
            ObservedGeneration = inputs.Autoscaler.Metadata.Generation, CurrentReplicas = inputs.Scale.Replicas, DesiredReplicas = desired,
            CurrentMetrics = metrics, Conditions = conditions.All,
        };
}
