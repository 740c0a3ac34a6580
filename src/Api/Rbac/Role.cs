using Weft.Api.Schemas;

namespace Weft.Api.Rbac;

/// <summary>Rights in one namespace.</summary>
[Kind("rbac.authorization.k8s.io", "v1", "Role", DefinitionPrefix = "io.k8s.api.rbac.v1")]
public sealed record Role : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The rights.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PolicyRule> Rules { get; init; } = [];
}

/// <summary>Verbs on resources or paths.</summary>
[Definition("io.k8s.api.rbac.v1.PolicyRule")]
public sealed record PolicyRule
{
    /// <summary>Verbs; * for all.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> Verbs { get; init; } = [];

    /// <summary>API groups; * for all.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ApiGroups { get; init; } = [];

    /// <summary>Resources; * for all.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>Names; all by default.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ResourceNames { get; init; } = [];

    /// <summary>Paths that are no resources.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> NonResourceURLs { get; init; } = [];
}
