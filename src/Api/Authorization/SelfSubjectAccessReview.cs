using Weft.Api.Schemas;

namespace Weft.Api.Authorization;

/// <summary>Asks whether the caller may do something.</summary>
[Kind("authorization.k8s.io", "v1", "SelfSubjectAccessReview", ClusterScoped = true, DefinitionPrefix = "io.k8s.api.authorization.v1")]
public sealed record SelfSubjectAccessReview : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The question.</summary>
    [Must] public SelfSubjectAccessReviewSpec Spec { get; init; } = new();

    /// <summary>The answer.</summary>
    public SubjectAccessReviewStatus Status { get; init; } = new();
}

/// <summary>What the caller wants to do.</summary>
[Definition("io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec")]
public sealed record SelfSubjectAccessReviewSpec
{
    /// <summary>An action on a resource.</summary>
    public ResourceAttributes? ResourceAttributes { get; init; }

    /// <summary>Or on a path.</summary>
    public NonResourceAttributes? NonResourceAttributes { get; init; }
}
