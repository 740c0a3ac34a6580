using Weft.Api.Core;
using Weft.Control.Mesh.Feed;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Hosts;

/// <summary>
/// Whose policies take a host of the mesh for the name that it has, when they say where an issuer keeps its keys. A service's name is its own. What an entry is called anybody may write, and whoever answers for an
/// issuer's name makes its tokens: so an entry counts where its author could have written the keys themselves.
/// </summary>
internal static class KeyHosts
{
    /// <summary>`*`: those of all.</summary>
    public static ValueList<string> NamespacesOf(MeshHost host, string root) => host.Source is Service || host.Namespace == root ? HostNames.Shown(host.ExportTo, host.Namespace)
        : HostNames.IsExported(host.ExportTo, host.Namespace, host.Namespace) ? [host.Namespace] : [];

    public static bool Counts(MeshHost host, string @namespace, string root) => NamespacesOf(host, root) is var own && (own.Contains("*") || own.Contains(@namespace));

    /// <summary>Its endpoints are where its author says that they are, who may be any tenant. What the registry knows is root's word, or that of a holder of its token: its processes are the node's own.</summary>
    public static bool IsDeclared(MeshHost host) => host.Source is Service ? host.Resolution == Resolution.Dns : !IHostSource.Made(host.Source);
}
