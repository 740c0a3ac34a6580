using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>An identity for pods.</summary>
[Kind("", "v1", "ServiceAccount", ShortNames = ["sa"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record ServiceAccount : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Secrets that pods of the account may use.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<ObjectReference> Secrets { get; init; } = [];

    /// <summary>Registry credentials for its pods.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<LocalObjectReference> ImagePullSecrets { get; init; } = [];

    /// <summary>Whether its pods get a token mounted.</summary>
    public bool? AutomountServiceAccountToken { get; init; }
}
