using Weft.Api.Schemas;

namespace Weft.Api.Authentication;

/// <summary>Asks who a token belongs to.</summary>
[Kind("authentication.k8s.io", "v1", "TokenReview", ClusterScoped = true, DefinitionPrefix = "io.k8s.api.authentication.v1")]
public sealed record TokenReview : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The question.</summary>
    [Must] public TokenReviewSpec Spec { get; init; } = new();

    /// <summary>The answer.</summary>
    public TokenReviewStatus Status { get; init; } = new();
}

/// <summary>A token to check.</summary>
[Definition("io.k8s.api.authentication.v1.TokenReviewSpec")]
public sealed record TokenReviewSpec
{
    /// <summary>The token.</summary>
    public string? Token { get; init; }

    /// <summary>Audiences the asker answers for.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Audiences { get; init; } = [];
}

/// <summary>Who a token belongs to.</summary>
[Definition("io.k8s.api.authentication.v1.TokenReviewStatus")]
public sealed record TokenReviewStatus
{
    /// <summary>Whether the token is good.</summary>
    public bool? Authenticated { get; init; }

    /// <summary>Its user.</summary>
    public UserInfo? User { get; init; }

    /// <summary>Audiences of both token and asker.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>Why it could not be checked.</summary>
    public string? Error { get; init; }
}

/// <summary>A user.</summary>
[Definition("io.k8s.api.authentication.v1.UserInfo")]
public sealed record UserInfo
{
    /// <summary>Name.</summary>
    public string? Username { get; init; }

    /// <summary>Id.</summary>
    public string? Uid { get; init; }

    /// <summary>Groups.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Further facts.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = Empty.Map<IReadOnlyList<string>>();
}
