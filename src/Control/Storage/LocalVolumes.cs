using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Storage;
using Weft.Control.Runtime;

namespace Weft.Control.Storage;

/// <summary>
/// Volumes of the provisioner `weft.dev/local`: a directory of one node, named after the volume. The agent of the node makes the directory when a pod
/// first uses it, and removes it before the finalizer lets a deleted volume go.
/// </summary>
internal static class LocalVolumes
{
    public static PersistentVolume For(PersistentVolumeClaim claim, StorageClass storageClass, Node node)
    {
        var name = "pvc-" + claim.Metadata.Uid;
        return new PersistentVolume
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Annotations = new Dictionary<string, string> { [StorageNames.ProvisionedBy] = StorageNames.LocalProvisioner },
                Finalizers = [StorageNames.LocalFinalizer],
            },
            Spec = new PersistentVolumeSpec
            {
                Capacity = new Dictionary<string, Quantity> { ["storage"] = VolumeMatch.Size(claim) },
                AccessModes = claim.Spec.AccessModes,
                VolumeMode = "Filesystem",
                PersistentVolumeReclaimPolicy = storageClass.ReclaimPolicy ?? "Delete",
                StorageClassName = storageClass.Metadata.Name,
                MountOptions = storageClass.MountOptions,
                ClaimRef = claim.Reference() with { ResourceVersion = null },
                Local = new LocalVolumeSource { Path = node.Annotation(StorageNames.LocalDirectory)!.TrimEnd('/') + "/" + name },
                NodeAffinity = new VolumeNodeAffinity
                {
                    Required = new NodeSelector
                    {
                        NodeSelectorTerms =
                        [
                            new NodeSelectorTerm
                            {
                                MatchExpressions =
                                [
                                    new NodeSelectorRequirement
                                    {
                                        Key = StorageNames.Hostname, Operator = "In",
                                        Values = [node.Metadata.Labels.GetValueOrDefault(StorageNames.Hostname) ?? node.Metadata.Name ?? ""],
                                    },
                                ],
                            },
                        ],
                    },
                },
            },
        };
    }

    public static bool IsOurs(PersistentVolume volume) => volume.Annotation(StorageNames.ProvisionedBy) == StorageNames.LocalProvisioner;
}
