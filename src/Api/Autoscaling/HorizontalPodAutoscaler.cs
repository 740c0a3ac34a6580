using Weft.Api.Schemas;

namespace Weft.Api.Autoscaling;

/// <summary>Keeps the number of copies of a workload in step with what they use.</summary>
[Kind("autoscaling", "v2", "HorizontalPodAutoscaler", ShortNames = ["hpa"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.autoscaling.v2")]
public sealed record HorizontalPodAutoscaler : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public HorizontalPodAutoscalerSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public HorizontalPodAutoscalerStatus Status { get; init; } = new();
}

/// <summary>What an autoscaler wants.</summary>
[Definition("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec")]
public sealed record HorizontalPodAutoscalerSpec
{
    /// <summary>The workload: anything with a scale subresource.</summary>
    [Must] public CrossVersionObjectReference ScaleTargetRef { get; init; } = new();

    /// <summary>Fewest copies; 1 unless said. 0 needs a metric of an object or from outside.</summary>
    public int? MinReplicas { get; init; }

    /// <summary>Most copies.</summary>
    [Must] public int MaxReplicas { get; init; }

    /// <summary>What is measured; the metric that wants most copies decides. 80% of the requested CPU unless said.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<MetricSpec> Metrics { get; init; } = [];

    /// <summary>How fast the number may change.</summary>
    public HorizontalPodAutoscalerBehavior? Behavior { get; init; }
}

/// <summary>Names an object by kind and name.</summary>
[Definition("io.k8s.api.autoscaling.v2.CrossVersionObjectReference")]
public sealed record CrossVersionObjectReference
{
    /// <summary>Kind of the object.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Name of the object.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Group and version of the kind.</summary>
    public string? ApiVersion { get; init; }
}

/// <summary>How fast the number of copies may change.</summary>
[Definition("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior")]
public sealed record HorizontalPodAutoscalerBehavior
{
    /// <summary>Upwards: at once, by the higher of 4 pods and 100% in 15 s, unless said.</summary>
    public HPAScalingRules? ScaleUp { get; init; }

    /// <summary>Downwards: to the highest number that was wanted in the last 300 s, unless said.</summary>
    public HPAScalingRules? ScaleDown { get; init; }
}

/// <summary>Rules of one direction.</summary>
[Definition("io.k8s.api.autoscaling.v2.HPAScalingRules")]
public sealed record HPAScalingRules
{
    /// <summary>Seconds for which earlier recommendations are looked at, 0 to 3600: 0 upwards and 300 downwards unless said.</summary>
    public int? StabilizationWindowSeconds { get; init; }

    /// <summary>Which policy counts: the one that allows the greatest change, unless said.</summary>
    [OneOf("Max", "Min", "Disabled")] public string? SelectPolicy { get; init; }

    /// <summary>How much the number may change in a time.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<HPAScalingPolicy> Policies { get; init; } = [];

    /// <summary>How far a metric may be off its target before anything is done, as a share; 0.1 unless said.</summary>
    public Quantity? Tolerance { get; init; }
}

/// <summary>How much the number of copies may change in a time.</summary>
[Definition("io.k8s.api.autoscaling.v2.HPAScalingPolicy")]
public sealed record HPAScalingPolicy
{
    /// <summary>What the value counts.</summary>
    [Must, OneOf("Pods", "Percent")] public string Type { get; init; } = "";

    /// <summary>The largest change; greater than 0.</summary>
    [Must] public int Value { get; init; }

    /// <summary>The time, 1 to 1800 seconds.</summary>
    [Must] public int PeriodSeconds { get; init; }
}

/// <summary>What was last observed of an autoscaler.</summary>
[Definition("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus")]
public sealed record HorizontalPodAutoscalerStatus
{
    /// <summary>Generation that was observed.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>When the number was last changed.</summary>
    public DateTimeOffset? LastScaleTime { get; init; }

    /// <summary>Copies when the autoscaler last looked.</summary>
    public int? CurrentReplicas { get; init; }

    /// <summary>Copies that the autoscaler wanted then.</summary>
    [Must] public int DesiredReplicas { get; init; }

    /// <summary>What was measured.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<MetricStatus> CurrentMetrics { get; init; } = [];

    /// <summary>AbleToScale, ScalingActive and ScalingLimited.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<HorizontalPodAutoscalerCondition> Conditions { get; init; } = [];
}

/// <summary>One observed condition of an autoscaler.</summary>
[Definition("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition")]
public sealed record HorizontalPodAutoscalerCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}
