using Weft.Api.Core;
using Weft.Control.Scheduling.Matching;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Storage;

/// <summary>Which nodes reach a volume.</summary>
internal static class VolumeNodes
{
    public static bool Reaches(PersistentVolume volume, NodeInfo node) =>
        volume.Spec.NodeAffinity?.Required is not { } required || required.NodeSelectorTerms.Any(term => new NodeTerm(term).Matches(node));

    public static bool Reaches(PersistentVolume volume, Node node) => Reaches(volume, new NodeInfo(node, new ResourceNames()));
}
