using Weft.Api.Schemas;

namespace Weft.Api.Autoscaling.V1;

/// <summary>The older form of an autoscaler: CPU alone; what else it has stands in annotations.</summary>
[Kind("autoscaling", "v1", "HorizontalPodAutoscaler", ShortNames = ["hpa"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.autoscaling.v1")]
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
[Definition("io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec")]
public sealed record HorizontalPodAutoscalerSpec
{
    /// <summary>The workload: anything with a scale subresource.</summary>
    [Must] public CrossVersionObjectReference ScaleTargetRef { get; init; } = new();

    /// <summary>Fewest copies; 1 unless said.</summary>
    public int? MinReplicas { get; init; }

    /// <summary>Most copies.</summary>
    [Must] public int MaxReplicas { get; init; }

    /// <summary>CPU that the pods should use on average, in percent of what they request.</summary>
    [Format("int32")] public int? TargetCPUUtilizationPercentage { get; init; }
}

/// <summary>Names an object by kind and name.</summary>
[Definition("io.k8s.api.autoscaling.v1.CrossVersionObjectReference"), Atomic]
public sealed record CrossVersionObjectReference
{
    /// <summary>Kind of the object.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Name of the object.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Group and version of the kind.</summary>
    public string? ApiVersion { get; init; }
}

/// <summary>What was last observed of an autoscaler.</summary>
[Definition("io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus")]
public sealed record HorizontalPodAutoscalerStatus
{
    /// <summary>Generation that was observed.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>When the number was last changed.</summary>
    public DateTimeOffset? LastScaleTime { get; init; }

    /// <summary>Copies when the autoscaler last looked.</summary>
    [Must] public int CurrentReplicas { get; init; }

    /// <summary>Copies that the autoscaler wanted then.</summary>
    [Must] public int DesiredReplicas { get; init; }

    /// <summary>CPU that the pods used on average, in percent of what they request.</summary>
    public int? CurrentCPUUtilizationPercentage { get; init; }
}
