using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Bounds and defaults for the resources of pods, containers and claims in a namespace.</summary>
[Kind("", "v1", "LimitRange", ShortNames = ["limits"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record LimitRange : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The bounds.</summary>
    public LimitRangeSpec Spec { get; init; } = new();
}

/// <summary>The bounds of a limit range.</summary>
[Definition("io.k8s.api.core.v1.LimitRangeSpec")]
public sealed record LimitRangeSpec
{
    /// <summary>One item for each kind of thing.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<LimitRangeItem> Limits { get; init; } = [];
}

/// <summary>Bounds for one kind of thing.</summary>
[Definition("io.k8s.api.core.v1.LimitRangeItem")]
public sealed record LimitRangeItem
{
    /// <summary>Pod, Container or PersistentVolumeClaim.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>Most, by resource.</summary>
    public IReadOnlyDictionary<string, Quantity> Max { get; init; } = Empty.Map<Quantity>();

    /// <summary>Least, by resource.</summary>
    public IReadOnlyDictionary<string, Quantity> Min { get; init; } = Empty.Map<Quantity>();

    /// <summary>Limits of containers that state none.</summary>
    public IReadOnlyDictionary<string, Quantity> Default { get; init; } = Empty.Map<Quantity>();

    /// <summary>Requests of containers that state none.</summary>
    public IReadOnlyDictionary<string, Quantity> DefaultRequest { get; init; } = Empty.Map<Quantity>();

    /// <summary>How many times the request a limit may be.</summary>
    public IReadOnlyDictionary<string, Quantity> MaxLimitRequestRatio { get; init; } = Empty.Map<Quantity>();
}
