using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Configuration as keys and values.</summary>
[Kind("", "v1", "ConfigMap", ShortNames = ["cm"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record ConfigMap : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>When true the data cannot change.</summary>
    public bool? Immutable { get; init; }

    /// <summary>Text values.</summary>
    public IReadOnlyDictionary<string, string> Data { get; init; } = Empty.Strings;

    /// <summary>Binary values, in base64.</summary>
    public IReadOnlyDictionary<string, byte[]> BinaryData { get; init; } = Empty.Map<byte[]>();
}
