using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>What all of a namespace together may use.</summary>
[Kind("", "v1", "ResourceQuota", ShortNames = ["quota"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record ResourceQuota : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is allowed.</summary>
    public ResourceQuotaSpec Spec { get; init; } = new();

    /// <summary>What is in use.</summary>
    public ResourceQuotaStatus Status { get; init; } = new();
}

/// <summary>What a quota allows.</summary>
[Definition("io.k8s.api.core.v1.ResourceQuotaSpec")]
public sealed record ResourceQuotaSpec
{
    /// <summary>The most of each resource.</summary>
    public IReadOnlyDictionary<string, Quantity> Hard { get; init; } = Empty.Map<Quantity>();

    /// <summary>Pods that count: those to which all of these apply.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Pods that count, by expressions.</summary>
    [Atomic] public ScopeSelector? ScopeSelector { get; init; }
}

/// <summary>Expressions that must all hold.</summary>
[Definition("io.k8s.api.core.v1.ScopeSelector")]
public sealed record ScopeSelector
{
    /// <summary>The expressions.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ScopedResourceSelectorRequirement> MatchExpressions { get; init; } = [];
}

/// <summary>One expression over a scope.</summary>
[Definition("io.k8s.api.core.v1.ScopedResourceSelectorRequirement")]
public sealed record ScopedResourceSelectorRequirement
{
    /// <summary>The scope.</summary>
    [Must] public string ScopeName { get; init; } = "";

    /// <summary>In, NotIn, Exists or DoesNotExist.</summary>
    [Must] public string Operator { get; init; } = "";

    /// <summary>Values for In and NotIn.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Values { get; init; } = [];
}

/// <summary>What is in use of a quota.</summary>
[Definition("io.k8s.api.core.v1.ResourceQuotaStatus")]
public sealed record ResourceQuotaStatus
{
    /// <summary>The limits in force.</summary>
    public IReadOnlyDictionary<string, Quantity> Hard { get; init; } = Empty.Map<Quantity>();

    /// <summary>What the namespace uses.</summary>
    public IReadOnlyDictionary<string, Quantity> Used { get; init; } = Empty.Map<Quantity>();
}
