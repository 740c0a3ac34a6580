using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Backends;

/// <summary>Where nodes are: each proxy looks its own up, and all see the endpoints near it first.</summary>
internal static class NodeJobs
{
    public static IEnumerable<Job> Of(MeshIndex index)
        => index.Inputs.Nodes.Select(node => new Job($"node {node.Name}", node, (_, _) => [UnitCodec.Node(node.Name, new() { Locality = node.Locality })]));
}
