using Weft.Api.Schemas;

namespace Weft.Api.Authorization;

/// <summary>Asks what the caller may do in a namespace.</summary>
[Kind("authorization.k8s.io", "v1", "SelfSubjectRulesReview", ClusterScoped = true, DefinitionPrefix = "io.k8s.api.authorization.v1")]
public sealed record SelfSubjectRulesReview : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The question.</summary>
    [Must] public SelfSubjectRulesReviewSpec Spec { get; init; } = new();

    /// <summary>The answer.</summary>
    public SubjectRulesReviewStatus Status { get; init; } = new();
}

/// <summary>Which namespace.</summary>
[Definition("io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec")]
public sealed record SelfSubjectRulesReviewSpec
{
    /// <summary>The namespace.</summary>
    public string? Namespace { get; init; }
}

/// <summary>What the caller may do.</summary>
[Definition("io.k8s.api.authorization.v1.SubjectRulesReviewStatus")]
public sealed record SubjectRulesReviewStatus
{
    /// <summary>On resources.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<ResourceRule> ResourceRules { get; init; } = [];

    /// <summary>On paths.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<NonResourceRule> NonResourceRules { get; init; } = [];

    /// <summary>Whether rules may be missing.</summary>
    [Must] public bool Incomplete { get; init; }

    /// <summary>What went wrong on the way.</summary>
    public string? EvaluationError { get; init; }
}

/// <summary>Verbs on resources.</summary>
[Definition("io.k8s.api.authorization.v1.ResourceRule")]
public sealed record ResourceRule
{
    /// <summary>Verbs.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> Verbs { get; init; } = [];

    /// <summary>API groups.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ApiGroups { get; init; } = [];

    /// <summary>Resources.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>Names.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ResourceNames { get; init; } = [];
}

/// <summary>Verbs on paths.</summary>
[Definition("io.k8s.api.authorization.v1.NonResourceRule")]
public sealed record NonResourceRule
{
    /// <summary>Verbs.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> Verbs { get; init; } = [];

    /// <summary>Paths.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> NonResourceURLs { get; init; } = [];
}
