using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Api.Core;

namespace Weft.Control.Workloads;

/// <summary>What the scale subresource of the workload says.</summary>
/// <param name="Replicas">Copies that are wanted.</param>
/// <param name="StatusReplicas">Copies that there are.</param>
/// <param name="Selector">Of the pods, as text; empty when the workload tells none.</param>
public sealed record ScaleView(int Replicas, int StatusReplicas, string Selector);

/// <summary>One pod's part of a metric.</summary>
/// <param name="Milli">In thousandths.</param>
/// <param name="At">End of the time over which it was measured.</param>
public readonly record struct PodSample(long Milli, DateTimeOffset At, TimeSpan Window);

/// <summary>What a source says of one metric of a spec.</summary>
public abstract record MetricReading
{
    private MetricReading()
    {
    }

    /// <param name="ByPod">By pod name; a pod that was not measured is absent.</param>
    public sealed record OfPods(IReadOnlyDictionary<string, PodSample> ByPod) : MetricReading;

    /// <summary>One figure for all pods, in thousandths.</summary>
    public sealed record OfAll(long Milli) : MetricReading;

    /// <param name="Why">Goes into condition and event.</param>
    public sealed record None(string Why) : MetricReading;
}

/// <summary>All that a plan is made from.</summary>
/// <param name="Pods">Those that the workload's selector chooses.</param>
/// <param name="Readings">One for each metric of the spec, in its order.</param>
public sealed record AutoscalerInputs(
    HorizontalPodAutoscaler Autoscaler, ScaleView Scale, IReadOnlyList<Pod> Pods, IReadOnlyList<MetricReading> Readings, AutoscalerHistory History)
{
    /// <summary>Names of other autoscalers that count some of the pods.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];
}
