using Weft.Api;
using Weft.Api.Core;

namespace Weft.Control.Workloads;

/// <summary>A pod as a workload makes it.</summary>
internal static class PodTemplates
{
    public static Pod NewPod(PodTemplateSpec template, string ownerName, OwnerReference owner) => new()
    {
        Metadata = new ObjectMeta
        {
            GenerateName = ownerName + "-",
            Labels = template.Metadata.Labels,
            Annotations = template.Metadata.Annotations,
            Finalizers = template.Metadata.Finalizers,
            OwnerReferences = [owner],
        },
        Spec = template.Spec,
    };
}
