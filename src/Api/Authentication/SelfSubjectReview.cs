using Weft.Api.Schemas;

namespace Weft.Api.Authentication;

/// <summary>Asks who the caller is.</summary>
[Kind("authentication.k8s.io", "v1", "SelfSubjectReview", ClusterScoped = true, DefinitionPrefix = "io.k8s.api.authentication.v1")]
public sealed record SelfSubjectReview : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The answer.</summary>
    public SelfSubjectReviewStatus Status { get; init; } = new();
}

/// <summary>Who the caller is.</summary>
[Definition("io.k8s.api.authentication.v1.SelfSubjectReviewStatus")]
public sealed record SelfSubjectReviewStatus
{
    /// <summary>The user as the server authenticated it.</summary>
    public UserInfo? UserInfo { get; init; }
}
