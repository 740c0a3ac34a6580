using System.Text.Json.Serialization;

namespace Weft.Node.Network.Mesh;

/// <summary>What the node's proxy must know of a pod to speak for it: who it is, by its addresses.</summary>
internal sealed record MeshedPod
{
    public required string Uid { get; init; }
    public required IReadOnlyList<string> Addresses { get; init; }
    public required string Namespace { get; init; }
    public required string Name { get; init; }
    public required string ServiceAccount { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>By content, which a record's own equality does not compare in lists.</summary>
    public bool IsSame(MeshedPod other) => other.Uid == Uid && other.Namespace == Namespace && other.Name == Name && other.ServiceAccount == ServiceAccount
        && other.Addresses.SequenceEqual(Addresses) && other.Labels.Count == Labels.Count && other.Labels.All(label => Labels.GetValueOrDefault(label.Key) == label.Value);
}

/// <summary>One line of JSON each way. What is null is not written.</summary>
/// <param name="Do">`begin` a list of all pods, `add` one, `end` the list: pods that were not named since `begin` are forgotten; `remove` one by its uid;
/// `requests`: how many were sent.</param>
internal sealed record RegistrationOrder(string Do, MeshedPod? Pod = null, string? Uid = null);

/// <param name="Error">Null: done, and kept by the proxy.</param>
/// <param name="Requests">Of `requests`: how many the proxy has sent since it started, by address.</param>
internal sealed record RegistrationAnswer(string? Error, IReadOnlyDictionary<string, long>? Requests = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RegistrationOrder))]
[JsonSerializable(typeof(RegistrationAnswer))]
[JsonSerializable(typeof(MeshedPod))]
internal sealed partial class RegistrationJson : JsonSerializerContext;
