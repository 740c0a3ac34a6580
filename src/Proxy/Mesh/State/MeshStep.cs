using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;

namespace Weft.Proxy.Mesh.State;

/// <summary>A cluster with its endpoints.</summary>
/// <param name="Certificate">That its TLS shows, of a Secret or of files.</param>
/// <param name="Here">Where the node is, as far as that counts for the cluster.</param>
internal sealed record MeshCluster(ClusterConfig Config, MeshTls Tls, bool OriginalAddress, CertificateConfig? Certificate, Locality Here = default);

/// <summary>What is different after a step: only this is made anew.</summary>
internal sealed record MeshStep
{
    public IReadOnlyList<MeshCluster> Clusters { get; init; } = [];

    public IReadOnlyList<string> GoneClusters { get; init; } = [];

    /// <summary>Tables that are new, different or gone.</summary>
    public IReadOnlyList<TableChange> Tables { get; init; } = [];

    /// <summary>Units that do not go together with others.</summary>
    public IReadOnlyList<Rejection> Left { get; init; } = [];

    /// <summary>Hosts that are new, different or gone.</summary>
    public IReadOnlyCollection<string> Hosts { get; init; } = [];

    /// <summary>Workloads that are new, different or gone, or whose policies or tokens are.</summary>
    public IReadOnlyCollection<string> Workloads { get; init; } = [];

    public bool Tokens { get; init; }

    /// <summary>Collectors, or what the front door tells.</summary>
    public bool Telemetry { get; init; }

    /// <summary>Listeners of the front door, or what they name; their routes are by themselves.</summary>
    public bool Door { get; init; }
}
