using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Mesh.Registration;

/// <summary>A pod as the agent tells of it. What is read has nulls for what is absent until <see cref="Check"/> has passed it.</summary>
internal sealed record RegisteredPod
{
    // RFC 1123: what Kubernetes takes for the name of a pod is as long. A uid and a namespace are shorter.
    private const int LongestName = 253;

    // One of each family; more is no pod's.
    private const int MostAddresses = 8;

    // Kubernetes has no limit of its own but that of the object.
    private const int MostLabels = 1000;

    public string Uid { get; init; } = "";
    public IReadOnlyList<string> Addresses { get; init; } = [];
    public string Namespace { get; init; } = "";
    public string Name { get; init; } = "";
    public string ServiceAccount { get; init; } = "";
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <returns>What is wrong with it; null: nothing.</returns>
    public string? Check()
    {
        foreach (var (field, value) in ((string, string)[])[("uid", Uid), ("namespace", Namespace), ("name", Name), ("serviceAccount", ServiceAccount)])
        {
            if (value is not { Length: > 0 and <= LongestName })
                return $"{field}: has 1 to {LongestName} characters";
        }
        if (Addresses is not { Count: <= MostAddresses })
            return $"addresses: at most {MostAddresses}";
        if (Labels is { Count: > MostLabels } || Labels?.Values.Contains(null) == true)
            return $"labels: at most {MostLabels}, each with a value";
        foreach (var address in Addresses)
        {
            if (!IPAddress.TryParse(address, out var ip) || ip.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
                return $"addresses: '{address}' is none";
        }
        return null;
    }

    public LocalWorkload Workload() => new(Uid, Namespace, Name, ServiceAccount, new ValueMap(Labels ?? new Dictionary<string, string>()));
}

/// <param name="Do">`begin`, `add`, `end`, `remove`; `requests`: what was counted.</param>
internal sealed record RegistrationOrder(string? Do, RegisteredPod? Pod = null, string? Uid = null);

/// <param name="Requests">How many requests this node has sent so far, by address.</param>
internal sealed record RegistrationAnswer(string? Error, IReadOnlyDictionary<string, long>? Requests = null);

/// <param name="Format">Of the file; another one is not read.</param>
internal sealed record RegistrationFile(int Format, IReadOnlyList<RegisteredPod> Pods);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RegistrationOrder))]
[JsonSerializable(typeof(RegistrationAnswer))]
[JsonSerializable(typeof(RegistrationFile))]
internal sealed partial class RegistrationJson : JsonSerializerContext;
