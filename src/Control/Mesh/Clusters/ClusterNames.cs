using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Clusters;

internal static class ClusterNames
{
    /// <summary>A cluster without endpoints: what is sent to a host that there is not is answered 503.</summary>
    public const string Unknown = "unknown";

    /// <summary>`host:port`, `host:port/subset`, `host:port@namespace`, `host:port/subset@namespace`.</summary>
    public static string Of(MeshHost host, int port, string? subset, string variant) => $"{host.Name}:{port}{(string.IsNullOrEmpty(subset) ? "" : "/" + subset)}{variant}";
}
