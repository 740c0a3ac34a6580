using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Cli.Clusters;

/// <summary>What a node that joined knows of its cluster: `agent.json` in its data directory.</summary>
/// <param name="Server">Where the cluster's API server is reached from this node.</param>
public sealed record AgentSettings(string Server, string NodeName)
{
    private const int Newest = 1;

    /// <summary>Of the file: a newer one is refused instead of misread.</summary>
    public int Format { get; init; } = Newest;

    /// <summary>Until the node has its certificate; then it is forgotten.</summary>
    public string? Token { get; init; }

    /// <summary>The address that the node is known by; null: that of the default route's interface.</summary>
    public string? NodeIp { get; init; }

    /// <summary>Who forwards to this node for those who are not on its link.</summary>
    public string? NextHop { get; init; }

    /// <summary>Told by the server at the join.</summary>
    public string? ClusterCidr { get; init; }
    public string? ServiceCidr { get; init; }
    public string? ClusterDomain { get; init; }
    public bool Mesh { get; init; }

    /// <summary>Given by the cluster after the join; kept, because its pods have addresses from it.</summary>
    public string? PodCidr { get; init; }

    /// <summary>A quarter of the cluster's grace, when that is shorter than Kubernetes'.</summary>
    public int? LeaseSeconds { get; init; }

    /// <summary>Directories of the machine that no pod may see, beyond the node's own.</summary>
    public IReadOnlyList<string> HiddenPaths { get; init; } = [];

    /// <summary>Where this node's proxy answers; null before the join, and in a cluster without services.</summary>
    [JsonIgnore]
    public IPAddress? DnsAddress => ServiceCidr is { Length: > 0 } services ? AddressPlan.Dns(services) : null;

    public override string ToString() => $"{NodeName} of {Server}"; // a record prints its members, and one of them is a secret

    public static AgentSettings? Load(string path)
    {
        if (!File.Exists(path))
            return null;
        var settings = JsonSerializer.Deserialize(File.ReadAllBytes(path), ClusterJson.Default.AgentSettings)
            ?? throw new InvalidDataException($"{path} is empty; run 'weft down --purge' and join again");
        return settings.Format <= Newest
            ? settings
            : throw new InvalidDataException($"{path} has format {settings.Format}, made by a newer weft; this one reads format {Newest}");
    }

    /// <summary>It may hold a token: for root alone.</summary>
    public void Save(string path) =>
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.AgentSettings), UnixFileMode.UserRead | UnixFileMode.UserWrite);
}
