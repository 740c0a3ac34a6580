using Weft.Api.Schemas;

namespace Weft.Api;

/// <summary>How an object is removed.</summary>
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")]
public sealed record DeleteOptions
{
    /// <summary>Version of this object.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>DeleteOptions.</summary>
    public string? Kind { get; init; }

    /// <summary>Seconds until it is removed by force; 0 for at once.</summary>
    public long? GracePeriodSeconds { get; init; }

    /// <summary>What must hold, else the answer is a conflict.</summary>
    public Preconditions? Preconditions { get; init; }

    /// <summary>Deprecated: use propagationPolicy.</summary>
    public bool? OrphanDependents { get; init; }

    /// <summary>Orphan, Background or Foreground.</summary>
    public string? PropagationPolicy { get; init; }

    /// <summary>All: check only.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> DryRun { get; init; } = [];

    /// <summary>Remove an object that cannot be read.</summary>
    public bool? IgnoreStoreReadErrorWithClusterBreakingPotential { get; init; }
}

/// <summary>What must hold before a removal.</summary>
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions")]
public sealed record Preconditions
{
    /// <summary>Uid of the object.</summary>
    public string? Uid { get; init; }

    /// <summary>Version of the object.</summary>
    public string? ResourceVersion { get; init; }
}
