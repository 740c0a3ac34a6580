using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>What a namespace may have in all.</summary>
[Kind("", "v1", "ResourceQuota", ShortNames = ["quota"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record ResourceQuota : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The bounds.</summary>
    public ResourceQuotaSpec Spec { get; init; } = new();

    /// <summary>What was last counted.</summary>
    public ResourceQuotaStatus Status { get; init; } = new();
}

/// <summary>The bounds of a quota.</summary>
[Definition("io.k8s.api.core.v1.ResourceQuotaSpec")]
public sealed record ResourceQuotaSpec
{
    /// <summary>Most, by resource.</summary>
    public IReadOnlyDictionary<string, Quantity> Hard { get; init; } = Empty.Map<Quantity>();

    /// <summary>Which pods count.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Which pods count, by expression.</summary>
    public ScopeSelector? ScopeSelector { get; init; }
}

/// <summary>Which pods count for a quota; all must hold.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.ScopeSelector")]
public sealed record ScopeSelector
{
    /// <summary>The requirements.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ScopedResourceSelectorRequirement> MatchExpressions { get; init; } = [];
}

/// <summary>A requirement on one scope.</summary>
[Definition("io.k8s.api.core.v1.ScopedResourceSelectorRequirement")]
public sealed record ScopedResourceSelectorRequirement
{
    /// <summary>The scope.</summary>
    [Must] public string ScopeName { get; init; } = "";

    /// <summary>In, NotIn, Exists or DoesNotExist.</summary>
    [Must] public string Operator { get; init; } = "";

    /// <summary>Values to compare with.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Values { get; init; } = [];
}

/// <summary>What was last counted of a quota.</summary>
[Definition("io.k8s.api.core.v1.ResourceQuotaStatus")]
public sealed record ResourceQuotaStatus
{
    /// <summary>Most, by resource.</summary>
    public IReadOnlyDictionary<string, Quantity> Hard { get; init; } = Empty.Map<Quantity>();

    /// <summary>In use, by resource.</summary>
    public IReadOnlyDictionary<string, Quantity> Used { get; init; } = Empty.Map<Quantity>();
}
