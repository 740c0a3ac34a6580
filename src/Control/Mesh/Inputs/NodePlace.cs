using Weft.Api.Core;
using Weft.Balancing;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Inputs;

/// <summary>What the mesh needs of a node. Equal by value: a node says every few seconds how it is.</summary>
public sealed record NodePlace(string Name, Locality Locality)
{
    public static NodePlace Of(Node node)
    {
        var labels = node.Metadata.Labels;
        return new(node.Metadata.Name ?? "", new(labels.GetValueOrDefault(NodeLabels.Region), labels.GetValueOrDefault(NodeLabels.Zone), labels.GetValueOrDefault(NodeLabels.Subzone)));
    }
}
