using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Ties a pod to a node.</summary>
[Kind("", "v1", "Binding", DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record Binding : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The node.</summary>
    [Must] public ObjectReference Target { get; init; } = new();
}

/// <summary>A reference to any object.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.ObjectReference")]
public sealed record ObjectReference
{
    /// <summary>Kind of the object.</summary>
    public string? Kind { get; init; }

    /// <summary>Its namespace.</summary>
    public string? Namespace { get; init; }

    /// <summary>Its name.</summary>
    public string? Name { get; init; }

    /// <summary>Its uid.</summary>
    public string? Uid { get; init; }

    /// <summary>Its API version.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>The exact version meant, if any.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>A part of the object.</summary>
    public string? FieldPath { get; init; }
}

/// <summary>An object in the same namespace.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.TypedLocalObjectReference")]
public sealed record TypedLocalObjectReference
{
    /// <summary>API group; empty for core.</summary>
    public string? ApiGroup { get; init; }

    /// <summary>Kind of the object.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";
}

/// <summary>An object, maybe in another namespace.</summary>
[Definition("io.k8s.api.core.v1.TypedObjectReference")]
public sealed record TypedObjectReference
{
    /// <summary>API group; empty for core.</summary>
    public string? ApiGroup { get; init; }

    /// <summary>Kind of the object.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Its namespace.</summary>
    public string? Namespace { get; init; }
}

/// <summary>A secret in some namespace.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.SecretReference")]
public sealed record SecretReference
{
    /// <summary>Name of the secret.</summary>
    public string? Name { get; init; }

    /// <summary>Its namespace.</summary>
    public string? Namespace { get; init; }
}
