using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Mesh.State;

/// <summary>What endpoints are near to: this node.</summary>
/// <param name="Node">Its name.</param>
internal sealed record Nearness(string Node, Locality Locality)
{
    /// <summary>0 for one that has all labels, one more for each that it lacks from the end: the first that differs decides.</summary>
    public int PriorityOf(EndpointConfig endpoint, ValueList<NearnessLabel> labels)
    {
        var same = 0;
        while (same < labels.Count && Has(endpoint, labels[same]))
            same++;
        return labels.Count - same;
    }

    // Where nobody has said where nodes are, all are in one place.
    private bool Has(EndpointConfig endpoint, NearnessLabel label)
    {
        var place = Of(endpoint.Locality, endpoint.Node, label.Label);
        if (label.Value is not { } value)
            return (place ?? "") == (Of(Locality, Node, label.Label) ?? "");
        return place == value || (endpoint.Labels.TryGetValue(label.Label, out var own) && own == value);
    }

    private static string? Of(in Locality place, string? node, string label) => label switch
    {
        NodeLabels.Region => place.Region,
        NodeLabels.Zone => place.Zone,
        NodeLabels.Subzone => place.Subzone,
        NodeLabels.Name => node,
        _ => null,
    };
}
