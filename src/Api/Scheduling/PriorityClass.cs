using Weft.Api.Schemas;

namespace Weft.Api.Scheduling;

/// <summary>A name for a pod priority.</summary>
[Kind("scheduling.k8s.io", "v1", "PriorityClass", ClusterScoped = true, Plural = "priorityclasses", ShortNames = ["pc"], DefinitionPrefix = "io.k8s.api.scheduling.v1")]
public sealed record PriorityClass : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The priority; higher is more important.</summary>
    [Must, Immutable] public int Value { get; init; }

    /// <summary>Whether pods without a class get it.</summary>
    public bool? GlobalDefault { get; init; }

    /// <summary>When to use it.</summary>
    public string? Description { get; init; }

    /// <summary>Whether pods may push out others.</summary>
    [OneOf("Never", "PreemptLowerPriority"), Immutable] public string? PreemptionPolicy { get; init; }
}
