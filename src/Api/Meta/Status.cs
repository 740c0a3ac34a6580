using Weft.Api.Schemas;

namespace Weft.Api;

/// <summary>The answer to a request that returns no object, above all an error.</summary>
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.Status")]
public sealed record Status
{
    public string ApiVersion { get; init; } = "v1";
    public string Kind { get; init; } = "Status";
    public ListMeta Metadata { get; init; } = new();

    /// <summary>Success or Failure. (A field named as its type: kubectl reads it.)</summary>
    [System.Text.Json.Serialization.JsonPropertyName("status")]
    public string? Result { get; init; }

    /// <summary>For a person: what was wrong and what to do.</summary>
    public string? Message { get; init; }

    /// <summary>For a machine: NotFound, AlreadyExists, Conflict, Invalid, ...</summary>
    public string? Reason { get; init; }

    /// <summary>Which object, and each cause.</summary>
    public StatusDetails? Details { get; init; }

    /// <summary>The HTTP status code.</summary>
    public int? Code { get; init; }
}

[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails")]
public sealed record StatusDetails
{
    public string? Name { get; init; }
    public string? Group { get; init; }
    public string? Kind { get; init; }
    public string? Uid { get; init; }
    public IReadOnlyList<StatusCause> Causes { get; init; } = [];
    public int? RetryAfterSeconds { get; init; }
}

[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause")]
public sealed record StatusCause
{
    /// <summary>Weft's own reason beside `InternalError`: the store takes no writes until there is room.</summary>
    public const string StoreReadOnly = "StoreReadOnly";

    public string? Reason { get; init; }
    public string? Message { get; init; }
    public string? Field { get; init; }
}

[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta")]
public sealed record ListMeta
{
    public string? SelfLink { get; init; }
    public string? ResourceVersion { get; init; }
    public string? Continue { get; init; }
    public long? RemainingItemCount { get; init; }
}
