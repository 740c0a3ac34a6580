using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Confidential keys and values.</summary>
[Kind("", "v1", "Secret", DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record Secret : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>When true the data cannot change.</summary>
    public bool? Immutable { get; init; }

    /// <summary>Values, in base64.</summary>
    public IReadOnlyDictionary<string, byte[]> Data { get; init; } = Empty.Map<byte[]>();

    /// <summary>Write-only: text values that are merged into data.</summary>
    public IReadOnlyDictionary<string, string> StringData { get; init; } = Empty.Strings;

    /// <summary>What the secret is for; Opaque by default.</summary>
    public string? Type { get; init; }
}
