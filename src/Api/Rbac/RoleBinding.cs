using Weft.Api.Schemas;

namespace Weft.Api.Rbac;

/// <summary>Gives subjects a role in one namespace.</summary>
[Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", DefinitionPrefix = "io.k8s.api.rbac.v1")]
public sealed record RoleBinding : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Who gets the rights.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<Subject> Subjects { get; init; } = [];

    /// <summary>The role.</summary>
    [Must, Immutable] public RoleRef RoleRef { get; init; } = new();
}

/// <summary>A role.</summary>
[Atomic]
[Definition("io.k8s.api.rbac.v1.RoleRef")]
public sealed record RoleRef
{
    /// <summary>API group of the role.</summary>
    [Must] public string ApiGroup { get; init; } = "";

    /// <summary>Role or ClusterRole.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Name of the role.</summary>
    [Must] public string Name { get; init; } = "";
}

/// <summary>A user, group or service account.</summary>
[Atomic]
[Definition("io.k8s.api.rbac.v1.Subject")]
public sealed record Subject
{
    /// <summary>User, Group or ServiceAccount.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>API group of the subject.</summary>
    public string? ApiGroup { get; init; }

    /// <summary>Name of the subject.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Namespace of a service account.</summary>
    public string? Namespace { get; init; }
}
