using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Containers that run together on one node.</summary>
[Kind("", "v1", "Pod", ShortNames = ["po"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record Pod : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What to run and how.</summary>
    public PodSpec Spec { get; init; } = new();

    /// <summary>What the node last observed.</summary>
    public PodStatus Status { get; init; } = new();
}

/// <summary>The pod that a workload creates copies of.</summary>
[Definition("io.k8s.api.core.v1.PodTemplateSpec")]
public sealed record PodTemplateSpec
{
    /// <summary>Labels and annotations of the created pods.</summary>
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What the created pods run.</summary>
    public PodSpec Spec { get; init; } = new();
}
