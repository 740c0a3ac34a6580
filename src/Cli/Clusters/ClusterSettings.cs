using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Cli.Clusters;

/// <summary>What was decided when the cluster was made, and holds for its life. Stored beside its data.</summary>
/// <param name="PodCidr">Addresses of the pods of all nodes, a /16: the first /24 is node 1's, the last the network between the nodes of this machine.</param>
public sealed record ClusterSettings(int ApiPort, string PodCidr, string ServiceCidr)
{
    /// <summary>Loopback port of the image registry. 0: not chosen yet, the server does at its start.</summary>
    public int RegistryPort { get; init; }

    /// <summary>Port of the registry of services (Consul's API). 0: not chosen yet, the server does at its start.</summary>
    public int DiscoveryPort { get; init; }

    /// <summary>File with services that are written by hand; null: none.</summary>
    public string? ServicesFile { get; init; }

    /// <summary>Of the file: a newer one is refused instead of misread. In format 1 node 1 has the whole pod network, and stays the only one.</summary>
    public int Format { get; init; } = Newest;

    /// <summary>Nodes on this machine, the first with it.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Nodes that are only played.</summary>
    public int SimulatedNodes { get; init; }

    /// <summary>A node that is silent for so long counts as lost; null: Kubernetes' 40.</summary>
    public int? NodeGraceSeconds { get; init; }

    /// <summary>How long pods without a toleration of their own stay on a lost node; null: Kubernetes' 300.</summary>
    public int? EvictionSeconds { get; init; }

    /// <summary>Whether pods are in the mesh unless they say otherwise. A cluster that was made without one stays without.</summary>
    public bool Mesh { get; init; }

    /// <summary>Of workloads' certificates in the mesh; null: 24 hours. Roots are dropped by it, so it holds for the cluster's life.</summary>
    public int? CertificateSeconds { get; init; }

    /// <summary>Name of the node that the API server is on.</summary>
    public static string OwnNode => Environment.MachineName.ToLowerInvariant();

    private const int Newest = 2;

    /// <summary>Nodes say four times within the grace that they live; the kubelet's 10 seconds at most.</summary>
    public int LeaseSeconds() => NodeGraceSeconds is { } grace ? Math.Clamp(grace / 4, 1, 10) : 10;

    /// <summary>Addresses of the pods of this machine's first node.</summary>
    public string NodeCidr() => Format == 1 ? PodCidr : AddressPlan.Part(PodCidr, 0);

    /// <summary>The network between the nodes of this machine; null in a cluster that can have one node only.</summary>
    public string? LinkCidr() => Format == 1 ? null : AddressPlan.Part(PodCidr, 255);

    /// <summary>Where the cluster's DNS answers on every node: the tenth address of the service range, as everybody expects it.</summary>
    [JsonIgnore]
    public IPAddress DnsAddress => AddressPlan.Dns(ServiceCidr);

    public static ClusterSettings? Load(string path)
    {
        if (!File.Exists(path))
            return null;
        var settings = JsonSerializer.Deserialize(File.ReadAllBytes(path), ClusterJson.Default.ClusterSettings)
            ?? throw new InvalidDataException($"{path} is empty; remove it, or restore it from a backup");
        return settings.Format <= Newest
            ? settings
            : throw new InvalidDataException($"{path} has format {settings.Format}, made by a newer weft; this one reads formats 1 and {Newest}");
    }

    public void Save(string path) => AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.ClusterSettings), StateFile.Mode);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ClusterSettings))]
[JsonSerializable(typeof(AgentSettings))]
[JsonSerializable(typeof(Supervision.ProxyNodeFile))]
[JsonSerializable(typeof(ServerState))]
[JsonSerializable(typeof(Processes.ProcessIdentity))]
[JsonSerializable(typeof(Supervision.ChildState[]))]
internal sealed partial class ClusterJson : JsonSerializerContext;
