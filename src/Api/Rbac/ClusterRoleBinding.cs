using Weft.Api.Schemas;

namespace Weft.Api.Rbac;

/// <summary>Gives subjects a cluster role everywhere.</summary>
[Kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", ClusterScoped = true, DefinitionPrefix = "io.k8s.api.rbac.v1")]
public sealed record ClusterRoleBinding : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Who gets the rights.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<Subject> Subjects { get; init; } = [];

    /// <summary>The cluster role.</summary>
    [Must, Immutable] public RoleRef RoleRef { get; init; } = new();
}
