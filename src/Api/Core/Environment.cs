using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>An environment variable.</summary>
[Definition("io.k8s.api.core.v1.EnvVar")]
public sealed record EnvVar
{
    /// <summary>Name of the variable.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Value; $(NAME) refers to variables defined before.</summary>
    public string? Value { get; init; }

    /// <summary>Where the value comes from, instead of value.</summary>
    public EnvVarSource? ValueFrom { get; init; }
}

/// <summary>Source of a variable's value: exactly one.</summary>
[Definition("io.k8s.api.core.v1.EnvVarSource")]
public sealed record EnvVarSource
{
    /// <summary>A field of the pod.</summary>
    public ObjectFieldSelector? FieldRef { get; init; }

    /// <summary>A resource of a container.</summary>
    public ResourceFieldSelector? ResourceFieldRef { get; init; }

    /// <summary>A key of a config map.</summary>
    public ConfigMapKeySelector? ConfigMapKeyRef { get; init; }

    /// <summary>A key of a secret.</summary>
    public SecretKeySelector? SecretKeyRef { get; init; }
}

/// <summary>A field of the pod.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.ObjectFieldSelector")]
public sealed record ObjectFieldSelector
{
    /// <summary>Version in which the path is written; v1 by default.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Path of the field.</summary>
    [Must] public string FieldPath { get; init; } = "";
}

/// <summary>A resource of a container.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.ResourceFieldSelector")]
public sealed record ResourceFieldSelector
{
    /// <summary>Container; in volumes required.</summary>
    public string? ContainerName { get; init; }

    /// <summary>limits.cpu, requests.memory and others.</summary>
    [Must] public string Resource { get; init; } = "";

    /// <summary>Unit of the output; 1 by default.</summary>
    public Quantity? Divisor { get; init; }
}

/// <summary>A key of a config map.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.ConfigMapKeySelector")]
public sealed record ConfigMapKeySelector
{
    /// <summary>Name of the config map.</summary>
    public string? Name { get; init; }

    /// <summary>The key.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>Whether it may be absent.</summary>
    public bool? Optional { get; init; }
}

/// <summary>A key of a secret.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.SecretKeySelector")]
public sealed record SecretKeySelector
{
    /// <summary>Name of the secret.</summary>
    public string? Name { get; init; }

    /// <summary>The key.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>Whether it may be absent.</summary>
    public bool? Optional { get; init; }
}

/// <summary>Keys of a config map or secret as variables.</summary>
[Definition("io.k8s.api.core.v1.EnvFromSource")]
public sealed record EnvFromSource
{
    /// <summary>Put before each key.</summary>
    public string? Prefix { get; init; }

    /// <summary>The config map.</summary>
    public ConfigMapEnvSource? ConfigMapRef { get; init; }

    /// <summary>The secret.</summary>
    public SecretEnvSource? SecretRef { get; init; }
}

/// <summary>A config map.</summary>
[Definition("io.k8s.api.core.v1.ConfigMapEnvSource")]
public sealed record ConfigMapEnvSource
{
    /// <summary>Name of the config map.</summary>
    public string? Name { get; init; }

    /// <summary>Whether it may be absent.</summary>
    public bool? Optional { get; init; }
}

/// <summary>A secret.</summary>
[Definition("io.k8s.api.core.v1.SecretEnvSource")]
public sealed record SecretEnvSource
{
    /// <summary>Name of the secret.</summary>
    public string? Name { get; init; }

    /// <summary>Whether it may be absent.</summary>
    public bool? Optional { get; init; }
}
