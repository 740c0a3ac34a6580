using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Clusters;

internal static class ClusterNames
{
    /// <summary>A cluster without endpoints: what is sent to a host that there is not is answered 503.</summary>
    public const string Unknown = "unknown";

    /// <summary>`host:port/~dialled`: the endpoint of a headless service that the client has dialled.</summary>
    public static string Dialled(MeshHost host, int port, string variant) => Of(host, port, ClusterUnit.Dialled, variant);

    /// <summary>`host:port`, `host:port/subset`, `host:port@namespace`, `host:port/subset@namespace`.</summary>
    public static string Of(MeshHost host, int port, string? subset, string variant) => $"{host.Name}:{port}{(string.IsNullOrEmpty(subset) ? "" : "/" + subset)}{variant}";
}
