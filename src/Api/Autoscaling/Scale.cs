using Weft.Api.Schemas;

namespace Weft.Api.Autoscaling;

/// <summary>The number of copies of a workload.</summary>
[Kind("autoscaling", "v1", "Scale", DefinitionPrefix = "io.k8s.api.autoscaling.v1")]
public sealed record Scale : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public ScaleSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public ScaleStatus Status { get; init; } = new();
}

/// <summary>What is wanted.</summary>
[Definition("io.k8s.api.autoscaling.v1.ScaleSpec")]
public sealed record ScaleSpec
{
    /// <summary>Number of copies.</summary>
    public int? Replicas { get; init; }
}

/// <summary>What was last observed.</summary>
[Definition("io.k8s.api.autoscaling.v1.ScaleStatus")]
public sealed record ScaleStatus
{
    /// <summary>Copies in all.</summary>
    [Must] public int Replicas { get; init; }

    /// <summary>Label selector of the copies, as text.</summary>
    public string? Selector { get; init; }
}
