using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>What each pod, container or claim of a namespace may ask for, and what it gets when it asks for nothing.</summary>
[Kind("", "v1", "LimitRange", ShortNames = ["limits"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record LimitRange : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The limits.</summary>
    public LimitRangeSpec Spec { get; init; } = new();
}

/// <summary>The limits of a namespace.</summary>
[Definition("io.k8s.api.core.v1.LimitRangeSpec")]
public sealed record LimitRangeSpec
{
    /// <summary>All of them hold.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<LimitRangeItem> Limits { get; init; } = [];
}

/// <summary>Limits for one type of thing.</summary>
[Definition("io.k8s.api.core.v1.LimitRangeItem")]
public sealed record LimitRangeItem
{
    /// <summary>Pod, Container or PersistentVolumeClaim.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>The most that may be asked for.</summary>
    public IReadOnlyDictionary<string, Quantity> Max { get; init; } = Empty.Map<Quantity>();

    /// <summary>The least that must be asked for.</summary>
    public IReadOnlyDictionary<string, Quantity> Min { get; init; } = Empty.Map<Quantity>();

    /// <summary>Limit of a container that names none.</summary>
    public IReadOnlyDictionary<string, Quantity> Default { get; init; } = Empty.Map<Quantity>();

    /// <summary>Request of a container that names none.</summary>
    public IReadOnlyDictionary<string, Quantity> DefaultRequest { get; init; } = Empty.Map<Quantity>();

    /// <summary>How many times its request a limit may be.</summary>
    public IReadOnlyDictionary<string, Quantity> MaxLimitRequestRatio { get; init; } = Empty.Map<Quantity>();
}
