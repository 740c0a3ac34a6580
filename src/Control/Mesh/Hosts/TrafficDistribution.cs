using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Hosts;

/// <summary>How near endpoints have to be to go first, by what the Service says: its own field, or Istio's annotation, which goes before.</summary>
internal static class TrafficDistribution
{
    private const string Annotation = "networking.istio.io/traffic-distribution";

    /// <summary>Istio's order; Kubernetes' PreferClose is its PreferSameZone by another name.</summary>
    public static ImmutableArray<string> LabelsOf(Service service) => (service.Metadata.Annotations.GetValueOrDefault(Annotation) ?? service.Spec.TrafficDistribution) switch
    {
        "PreferClose" => [NodeLabels.Region, NodeLabels.Zone, NodeLabels.Subzone],
        "PreferSameZone" => [NodeLabels.Region, NodeLabels.Zone],
        "PreferSameNode" => [NodeLabels.Region, NodeLabels.Zone, NodeLabels.Subzone, NodeLabels.Name],
        _ => [],
    };
}
