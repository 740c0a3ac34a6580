using Weft.Api;

namespace Weft.Client;

/// <summary>An object of any kind, of which only the metadata is known (`meta.k8s.io/v1`).</summary>
public sealed record PartialObjectMetadata : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();
}
