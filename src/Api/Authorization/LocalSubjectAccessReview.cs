using Weft.Api.Schemas;

namespace Weft.Api.Authorization;

/// <summary>Asks whether a user may do something in one namespace.</summary>
[Kind("authorization.k8s.io", "v1", "LocalSubjectAccessReview", DefinitionPrefix = "io.k8s.api.authorization.v1")]
public sealed record LocalSubjectAccessReview : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The question.</summary>
    [Must] public SubjectAccessReviewSpec Spec { get; init; } = new();

    /// <summary>The answer.</summary>
    public SubjectAccessReviewStatus Status { get; init; } = new();
}
