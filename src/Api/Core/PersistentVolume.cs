using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>A piece of storage that lives longer than the pods that use it.</summary>
[Kind("", "v1", "PersistentVolume", ClusterScoped = true, ShortNames = ["pv"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record PersistentVolume : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What the storage is, and who has it.</summary>
    public PersistentVolumeSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public PersistentVolumeStatus Status { get; init; } = new();
}

/// <summary>What the storage is, and who has it.</summary>
[Definition("io.k8s.api.core.v1.PersistentVolumeSpec")]
public sealed record PersistentVolumeSpec
{
    /// <summary>Its size, by `storage`.</summary>
    public IReadOnlyDictionary<string, Quantity> Capacity { get; init; } = Empty.Map<Quantity>();

    /// <summary>A path of the node itself; for tests on one node.</summary>
    public HostPathVolumeSource? HostPath { get; init; }

    /// <summary>A directory or device of one node, which the node affinity names.</summary>
    public LocalVolumeSource? Local { get; init; }

    /// <summary>An NFS export.</summary>
    public NFSVolumeSource? Nfs { get; init; }

    /// <summary>A volume of a CSI driver.</summary>
    public CSIPersistentVolumeSource? Csi { get; init; }

    /// <summary>A Fibre Channel device.</summary>
    public FCVolumeSource? Fc { get; init; }

    /// <summary>A disk of Google Compute Engine.</summary>
    public GCEPersistentDiskVolumeSource? GcePersistentDisk { get; init; }

    /// <summary>A disk of Amazon.</summary>
    public AWSElasticBlockStoreVolumeSource? AwsElasticBlockStore { get; init; }

    /// <summary>A disk of Azure.</summary>
    public AzureDiskVolumeSource? AzureDisk { get; init; }

    /// <summary>A disk of vSphere.</summary>
    public VsphereVirtualDiskVolumeSource? VsphereVolume { get; init; }

    /// <summary>How it may be mounted.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> AccessModes { get; init; } = [];

    /// <summary>The claim that has it, or for which it is kept.</summary>
    public ObjectReference? ClaimRef { get; init; }

    /// <summary>What happens when its claim is gone. Retain by default, Delete for provisioned volumes.</summary>
    [OneOf("Delete", "Recycle", "Retain")] public string? PersistentVolumeReclaimPolicy { get; init; }

    /// <summary>Class that a claim asks for; empty for none.</summary>
    public string? StorageClassName { get; init; }

    /// <summary>Options of its mount.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> MountOptions { get; init; } = [];

    /// <summary>Filesystem or Block.</summary>
    [OneOf("Block", "Filesystem")] public string? VolumeMode { get; init; }

    /// <summary>The nodes that can reach it.</summary>
    public VolumeNodeAffinity? NodeAffinity { get; init; }

    /// <summary>Class of mutable attributes.</summary>
    public string? VolumeAttributesClassName { get; init; }
}

/// <summary>A directory or device of one node.</summary>
[Definition("io.k8s.api.core.v1.LocalVolumeSource")]
public sealed record LocalVolumeSource
{
    /// <summary>Absolute path on the node.</summary>
    [Must] public string Path { get; init; } = "";

    /// <summary>File system of a device.</summary>
    public string? FsType { get; init; }
}

/// <summary>A volume of a CSI driver.</summary>
[Definition("io.k8s.api.core.v1.CSIPersistentVolumeSource")]
public sealed record CSIPersistentVolumeSource
{
    /// <summary>Name of the driver.</summary>
    [Must] public string Driver { get; init; } = "";

    /// <summary>The driver's name for the volume.</summary>
    [Must] public string VolumeHandle { get; init; } = "";

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Attributes for the driver.</summary>
    public IReadOnlyDictionary<string, string> VolumeAttributes { get; init; } = Empty.Strings;

    /// <summary>Secret for attaching.</summary>
    public SecretReference? ControllerPublishSecretRef { get; init; }

    /// <summary>Secret for mounting on the node.</summary>
    public SecretReference? NodeStageSecretRef { get; init; }

    /// <summary>Secret for mounting in the pod.</summary>
    public SecretReference? NodePublishSecretRef { get; init; }

    /// <summary>Secret for expanding.</summary>
    public SecretReference? ControllerExpandSecretRef { get; init; }

    /// <summary>Secret for expanding on the node.</summary>
    public SecretReference? NodeExpandSecretRef { get; init; }
}

/// <summary>The nodes that can reach a volume.</summary>
[Definition("io.k8s.api.core.v1.VolumeNodeAffinity")]
public sealed record VolumeNodeAffinity
{
    /// <summary>A node must match.</summary>
    public NodeSelector? Required { get; init; }
}

/// <summary>What was last observed of a volume.</summary>
[Definition("io.k8s.api.core.v1.PersistentVolumeStatus")]
public sealed record PersistentVolumeStatus
{
    /// <summary>Pending, Available, Bound, Released or Failed.</summary>
    public string? Phase { get; init; }

    /// <summary>For people: why it is in this phase.</summary>
    public string? Message { get; init; }

    /// <summary>One word for a failure.</summary>
    public string? Reason { get; init; }

    /// <summary>When the phase last changed.</summary>
    public DateTimeOffset? LastPhaseTransitionTime { get; init; }
}
