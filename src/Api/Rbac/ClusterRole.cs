using Weft.Api.Schemas;

namespace Weft.Api.Rbac;

/// <summary>Rights in all namespaces or on cluster-wide resources.</summary>
[Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", ClusterScoped = true, DefinitionPrefix = "io.k8s.api.rbac.v1")]
public sealed record ClusterRole : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The rights.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PolicyRule> Rules { get; init; } = [];

    /// <summary>Fills the rules from other cluster roles.</summary>
    public AggregationRule? AggregationRule { get; init; }
}

/// <summary>Cluster roles whose rules are added up.</summary>
[Definition("io.k8s.api.rbac.v1.AggregationRule")]
public sealed record AggregationRule
{
    /// <summary>Cluster roles by label.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<LabelSelector> ClusterRoleSelectors { get; init; } = [];
}
