using Weft.Api.Schemas;

namespace Weft.Api.Coordination;

/// <summary>A lock with a time limit.</summary>
[Kind("coordination.k8s.io", "v1", "Lease", DefinitionPrefix = "io.k8s.api.coordination.v1")]
public sealed record Lease : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Who holds it.</summary>
    public LeaseSpec Spec { get; init; } = new();
}

/// <summary>Who holds a lease.</summary>
[Definition("io.k8s.api.coordination.v1.LeaseSpec")]
public sealed record LeaseSpec
{
    /// <summary>The holder.</summary>
    public string? HolderIdentity { get; init; }

    /// <summary>How long others wait after renewTime.</summary>
    public int? LeaseDurationSeconds { get; init; }

    /// <summary>When it was taken.</summary>
    public MicroTime? AcquireTime { get; init; }

    /// <summary>When it was last renewed.</summary>
    public MicroTime? RenewTime { get; init; }

    /// <summary>How often the holder changed.</summary>
    public int? LeaseTransitions { get; init; }

    /// <summary>How a holder is chosen.</summary>
    public string? Strategy { get; init; }

    /// <summary>Holder that should take it over.</summary>
    public string? PreferredHolder { get; init; }
}
