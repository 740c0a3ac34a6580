using Weft.Api.Schemas;

namespace Weft.Api.Policy;

/// <summary>Asks for the removal of a pod within its disruption budget.</summary>
[Kind("policy", "v1", "Eviction", DefinitionPrefix = "io.k8s.api.policy.v1")]
public sealed record Eviction : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>How to remove it.</summary>
    public DeleteOptions? DeleteOptions { get; init; }
}
