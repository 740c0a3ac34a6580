using Weft.Api.Schemas;

namespace Weft.Api.Authorization;

/// <summary>Asks whether a user may do something.</summary>
[Kind("authorization.k8s.io", "v1", "SubjectAccessReview", ClusterScoped = true, DefinitionPrefix = "io.k8s.api.authorization.v1")]
public sealed record SubjectAccessReview : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The question.</summary>
    [Must] public SubjectAccessReviewSpec Spec { get; init; } = new();

    /// <summary>The answer.</summary>
    public SubjectAccessReviewStatus Status { get; init; } = new();
}

/// <summary>Who wants to do what.</summary>
[Definition("io.k8s.api.authorization.v1.SubjectAccessReviewSpec")]
public sealed record SubjectAccessReviewSpec
{
    /// <summary>An action on a resource.</summary>
    public ResourceAttributes? ResourceAttributes { get; init; }

    /// <summary>Or on a path.</summary>
    public NonResourceAttributes? NonResourceAttributes { get; init; }

    /// <summary>The user.</summary>
    public string? User { get; init; }

    /// <summary>Groups of the user.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Further facts of the user.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = Empty.Map<IReadOnlyList<string>>();

    /// <summary>Id of the user.</summary>
    public string? Uid { get; init; }
}

/// <summary>An action on a resource.</summary>
[Definition("io.k8s.api.authorization.v1.ResourceAttributes")]
public sealed record ResourceAttributes
{
    /// <summary>Namespace; empty for all or none.</summary>
    public string? Namespace { get; init; }

    /// <summary>Verb; * for all.</summary>
    public string? Verb { get; init; }

    /// <summary>API group; * for all.</summary>
    public string? Group { get; init; }

    /// <summary>API version; * for all.</summary>
    public string? Version { get; init; }

    /// <summary>Resource; * for all.</summary>
    public string? Resource { get; init; }

    /// <summary>Subresource.</summary>
    public string? Subresource { get; init; }

    /// <summary>Name; empty for all.</summary>
    public string? Name { get; init; }

    /// <summary>Field selector of the request.</summary>
    public FieldSelectorAttributes? FieldSelector { get; init; }

    /// <summary>Label selector of the request.</summary>
    public LabelSelectorAttributes? LabelSelector { get; init; }
}

/// <summary>An action on a path.</summary>
[Definition("io.k8s.api.authorization.v1.NonResourceAttributes")]
public sealed record NonResourceAttributes
{
    /// <summary>Path.</summary>
    public string? Path { get; init; }

    /// <summary>HTTP verb.</summary>
    public string? Verb { get; init; }
}

/// <summary>A field selector.</summary>
[Definition("io.k8s.api.authorization.v1.FieldSelectorAttributes")]
public sealed record FieldSelectorAttributes
{
    /// <summary>As text.</summary>
    public string? RawSelector { get; init; }

    /// <summary>As requirements.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<FieldSelectorRequirement> Requirements { get; init; } = [];
}

/// <summary>A requirement on one field.</summary>
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement")]
public sealed record FieldSelectorRequirement
{
    /// <summary>The field.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>In, NotIn, Exists or DoesNotExist.</summary>
    [Must] public string Operator { get; init; } = "";

    /// <summary>Values to compare with.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Values { get; init; } = [];
}

/// <summary>A label selector.</summary>
[Definition("io.k8s.api.authorization.v1.LabelSelectorAttributes")]
public sealed record LabelSelectorAttributes
{
    /// <summary>As text.</summary>
    public string? RawSelector { get; init; }

    /// <summary>As requirements.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<LabelSelectorRequirement> Requirements { get; init; } = [];
}

/// <summary>The answer.</summary>
[Definition("io.k8s.api.authorization.v1.SubjectAccessReviewStatus")]
public sealed record SubjectAccessReviewStatus
{
    /// <summary>Whether it is allowed.</summary>
    [Must] public bool Allowed { get; init; }

    /// <summary>Whether it is denied whatever others say.</summary>
    public bool? Denied { get; init; }

    /// <summary>Why.</summary>
    public string? Reason { get; init; }

    /// <summary>What went wrong on the way.</summary>
    public string? EvaluationError { get; init; }
}
