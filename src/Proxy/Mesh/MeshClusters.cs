using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.State;

namespace Weft.Proxy.Mesh;

/// <summary>Clusters that every node has: their endpoints are the addresses that connections were meant for. No host has such a name.</summary>
internal static class MeshClusters
{
    /// <summary>Pods of this node, after their policies.</summary>
    public const string Inbound = "inbound", InboundHttp2 = "inbound/http2";

    /// <summary>Pods that were called by their own addresses.</summary>
    public const string Pod = "pod";

    /// <summary>What the mesh does not know.</summary>
    public const string Passthrough = "passthrough";

    // Each stands for any number of pods: what they bear is not for one number to say.
    private static readonly PoolLimits Unlimited = new() { MaxConnections = int.MaxValue, MaxRequests = int.MaxValue, MaxPending = int.MaxValue };

    public static IReadOnlyList<MeshCluster> All { get; } =
    [
        Of(new ClusterConfig { Name = Inbound, Protocol = UpstreamProtocol.Http1, PreserveSource = true }, MeshTls.Never),
        Of(new ClusterConfig { Name = InboundHttp2, Protocol = UpstreamProtocol.Http2, PreserveSource = true }, MeshTls.Never),
        Of(new ClusterConfig { Name = Pod }, MeshTls.Auto),
        Of(new ClusterConfig { Name = Passthrough, ConnectTimeout = TimeSpan.FromSeconds(10) }, MeshTls.Never),
    ];

    private static MeshCluster Of(ClusterConfig config, MeshTls tls) => new(config with { Limits = Unlimited }, tls, OriginalAddress: true, Certificate: null);
}
