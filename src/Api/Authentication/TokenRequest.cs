using Weft.Api.Schemas;

namespace Weft.Api.Authentication;

/// <summary>Asks for a token of a service account.</summary>
[Kind("authentication.k8s.io", "v1", "TokenRequest", DefinitionPrefix = "io.k8s.api.authentication.v1")]
public sealed record TokenRequest : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    [Must] public TokenRequestSpec Spec { get; init; } = new();

    /// <summary>The token.</summary>
    public TokenRequestStatus Status { get; init; } = new();
}

/// <summary>What token is wanted.</summary>
[Definition("io.k8s.api.authentication.v1.TokenRequestSpec")]
public sealed record TokenRequestSpec
{
    /// <summary>Who the token is for.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>Its life. 3600 by default.</summary>
    public long? ExpirationSeconds { get; init; }

    /// <summary>Object with which the token ends.</summary>
    public BoundObjectReference? BoundObjectRef { get; init; }
}

/// <summary>An object that a token is bound to.</summary>
[Definition("io.k8s.api.authentication.v1.BoundObjectReference")]
public sealed record BoundObjectReference
{
    /// <summary>Pod, Secret or Node.</summary>
    public string? Kind { get; init; }

    /// <summary>Its API version.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Its name.</summary>
    public string? Name { get; init; }

    /// <summary>Its uid.</summary>
    public string? Uid { get; init; }
}

/// <summary>The token.</summary>
[Definition("io.k8s.api.authentication.v1.TokenRequestStatus")]
public sealed record TokenRequestStatus
{
    /// <summary>The token.</summary>
    [Must] public string Token { get; init; } = "";

    /// <summary>When it ends.</summary>
    [Must] public DateTimeOffset? ExpirationTimestamp { get; init; }
}
