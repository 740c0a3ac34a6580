using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>A volume of a pod: a name and exactly one source.</summary>
[Definition("io.k8s.api.core.v1.Volume")]
public sealed record Volume
{
    /// <summary>Name, a DNS label, unique in the pod.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>A path of the node.</summary>
    public HostPathVolumeSource? HostPath { get; init; }

    /// <summary>A directory that lives as long as the pod.</summary>
    public EmptyDirVolumeSource? EmptyDir { get; init; }

    /// <summary>Deprecated.</summary>
    public GCEPersistentDiskVolumeSource? GcePersistentDisk { get; init; }

    /// <summary>Deprecated.</summary>
    public AWSElasticBlockStoreVolumeSource? AwsElasticBlockStore { get; init; }

    /// <summary>Deprecated.</summary>
    public GitRepoVolumeSource? GitRepo { get; init; }

    /// <summary>Keys of a secret as files.</summary>
    public SecretVolumeSource? Secret { get; init; }

    /// <summary>An NFS export.</summary>
    public NFSVolumeSource? Nfs { get; init; }

    /// <summary>An iSCSI disk.</summary>
    public ISCSIVolumeSource? Iscsi { get; init; }

    /// <summary>Deprecated.</summary>
    public GlusterfsVolumeSource? Glusterfs { get; init; }

    /// <summary>A claim in the same namespace.</summary>
    public PersistentVolumeClaimVolumeSource? PersistentVolumeClaim { get; init; }

    /// <summary>Deprecated.</summary>
    public RBDVolumeSource? Rbd { get; init; }

    /// <summary>Deprecated.</summary>
    public FlexVolumeSource? FlexVolume { get; init; }

    /// <summary>Deprecated.</summary>
    public CinderVolumeSource? Cinder { get; init; }

    /// <summary>Deprecated.</summary>
    public CephFSVolumeSource? Cephfs { get; init; }

    /// <summary>Deprecated.</summary>
    public FlockerVolumeSource? Flocker { get; init; }

    /// <summary>Fields of the pod as files.</summary>
    public DownwardAPIVolumeSource? DownwardAPI { get; init; }

    /// <summary>A fibre channel disk.</summary>
    public FCVolumeSource? Fc { get; init; }

    /// <summary>Deprecated.</summary>
    public AzureFileVolumeSource? AzureFile { get; init; }

    /// <summary>Keys of a config map as files.</summary>
    public ConfigMapVolumeSource? ConfigMap { get; init; }

    /// <summary>Deprecated.</summary>
    public VsphereVirtualDiskVolumeSource? VsphereVolume { get; init; }

    /// <summary>Deprecated.</summary>
    public QuobyteVolumeSource? Quobyte { get; init; }

    /// <summary>Deprecated.</summary>
    public AzureDiskVolumeSource? AzureDisk { get; init; }

    /// <summary>Deprecated.</summary>
    public PhotonPersistentDiskVolumeSource? PhotonPersistentDisk { get; init; }

    /// <summary>Several sources in one directory.</summary>
    public ProjectedVolumeSource? Projected { get; init; }

    /// <summary>Deprecated.</summary>
    public PortworxVolumeSource? PortworxVolume { get; init; }

    /// <summary>Deprecated.</summary>
    public ScaleIOVolumeSource? ScaleIO { get; init; }

    /// <summary>Deprecated.</summary>
    public StorageOSVolumeSource? Storageos { get; init; }

    /// <summary>A volume of a CSI driver, made for the pod.</summary>
    public CSIVolumeSource? Csi { get; init; }

    /// <summary>A claim made for the pod and removed with it.</summary>
    public EphemeralVolumeSource? Ephemeral { get; init; }

    /// <summary>The content of an image, read-only.</summary>
    public ImageVolumeSource? Image { get; init; }
}

/// <summary>Where a volume appears in a container.</summary>
[Definition("io.k8s.api.core.v1.VolumeMount")]
public sealed record VolumeMount
{
    /// <summary>Name of the volume.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Path in the container.</summary>
    [Must] public string MountPath { get; init; } = "";

    /// <summary>Path in the volume; its root by default.</summary>
    public string? SubPath { get; init; }

    /// <summary>How later mounts pass between node and container.</summary>
    [OneOf("Bidirectional", "HostToContainer", "None")] public string? MountPropagation { get; init; }

    /// <summary>subPath with $(NAME) of environment variables.</summary>
    public string? SubPathExpr { get; init; }

    /// <summary>Whether mounts below a read-only one are read-only too.</summary>
    public string? RecursiveReadOnly { get; init; }
}

/// <summary>A block device in a container.</summary>
[Definition("io.k8s.api.core.v1.VolumeDevice")]
public sealed record VolumeDevice
{
    /// <summary>Name of the claim's volume.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Path of the device in the container.</summary>
    [Must] public string DevicePath { get; init; } = "";
}

/// <summary>A path of the node.</summary>
[Definition("io.k8s.api.core.v1.HostPathVolumeSource")]
public sealed record HostPathVolumeSource
{
    /// <summary>The path.</summary>
    [Must] public string Path { get; init; } = "";

    /// <summary>What must be there, or is made.</summary>
    [OneOf("", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice")] public string? Type { get; init; }
}

/// <summary>A directory that lives as long as the pod.</summary>
[Definition("io.k8s.api.core.v1.EmptyDirVolumeSource")]
public sealed record EmptyDirVolumeSource
{
    /// <summary>Empty for disk, Memory for a tmpfs.</summary>
    public string? Medium { get; init; }

    /// <summary>Most that may be stored.</summary>
    public Quantity? SizeLimit { get; init; }
}

/// <summary>A key as a file.</summary>
[Definition("io.k8s.api.core.v1.KeyToPath")]
public sealed record KeyToPath
{
    /// <summary>The key.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>Relative path of the file.</summary>
    [Must] public string Path { get; init; } = "";

    /// <summary>Permission bits of the file.</summary>
    public int? Mode { get; init; }
}

/// <summary>Keys of a secret as files.</summary>
[Definition("io.k8s.api.core.v1.SecretVolumeSource")]
public sealed record SecretVolumeSource
{
    /// <summary>Name of the secret.</summary>
    public string? SecretName { get; init; }

    /// <summary>Keys to show; all by default.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<KeyToPath> Items { get; init; } = [];

    /// <summary>Permission bits of the files. 0644 by default.</summary>
    public int? DefaultMode { get; init; }

    /// <summary>Whether it may be absent.</summary>
    public bool? Optional { get; init; }
}

/// <summary>Keys of a config map as files.</summary>
[Definition("io.k8s.api.core.v1.ConfigMapVolumeSource")]
public sealed record ConfigMapVolumeSource
{
    /// <summary>Name of the config map.</summary>
    public string? Name { get; init; }

    /// <summary>Keys to show; all by default.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<KeyToPath> Items { get; init; } = [];

    /// <summary>Permission bits of the files. 0644 by default.</summary>
    public int? DefaultMode { get; init; }

    /// <summary>Whether it may be absent.</summary>
    public bool? Optional { get; init; }
}

/// <summary>Fields of the pod as files.</summary>
[Definition("io.k8s.api.core.v1.DownwardAPIVolumeSource")]
public sealed record DownwardAPIVolumeSource
{
    /// <summary>The files.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<DownwardAPIVolumeFile> Items { get; init; } = [];

    /// <summary>Permission bits of the files. 0644 by default.</summary>
    public int? DefaultMode { get; init; }
}

/// <summary>A file with a field of the pod.</summary>
[Definition("io.k8s.api.core.v1.DownwardAPIVolumeFile")]
public sealed record DownwardAPIVolumeFile
{
    /// <summary>Relative path of the file.</summary>
    [Must] public string Path { get; init; } = "";

    /// <summary>A field of the pod.</summary>
    public ObjectFieldSelector? FieldRef { get; init; }

    /// <summary>A resource of a container.</summary>
    public ResourceFieldSelector? ResourceFieldRef { get; init; }

    /// <summary>Permission bits of the file.</summary>
    public int? Mode { get; init; }
}

/// <summary>Several sources in one directory.</summary>
[Definition("io.k8s.api.core.v1.ProjectedVolumeSource")]
public sealed record ProjectedVolumeSource
{
    /// <summary>The sources.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<VolumeProjection> Sources { get; init; } = [];

    /// <summary>Permission bits of the files. 0644 by default.</summary>
    public int? DefaultMode { get; init; }
}

/// <summary>One source of a projected volume.</summary>
[Definition("io.k8s.api.core.v1.VolumeProjection")]
public sealed record VolumeProjection
{
    /// <summary>Keys of a secret.</summary>
    public SecretProjection? Secret { get; init; }

    /// <summary>Fields of the pod.</summary>
    public DownwardAPIProjection? DownwardAPI { get; init; }

    /// <summary>Keys of a config map.</summary>
    public ConfigMapProjection? ConfigMap { get; init; }

    /// <summary>A token of the pod's service account.</summary>
    public ServiceAccountTokenProjection? ServiceAccountToken { get; init; }

    /// <summary>Certificates of trust bundles.</summary>
    public ClusterTrustBundleProjection? ClusterTrustBundle { get; init; }
}

/// <summary>Keys of a secret.</summary>
[Definition("io.k8s.api.core.v1.SecretProjection")]
public sealed record SecretProjection
{
    /// <summary>Name of the secret.</summary>
    public string? Name { get; init; }

    /// <summary>Keys to show; all by default.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<KeyToPath> Items { get; init; } = [];

    /// <summary>Whether it may be absent.</summary>
    public bool? Optional { get; init; }
}

/// <summary>Keys of a config map.</summary>
[Definition("io.k8s.api.core.v1.ConfigMapProjection")]
public sealed record ConfigMapProjection
{
    /// <summary>Name of the config map.</summary>
    public string? Name { get; init; }

    /// <summary>Keys to show; all by default.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<KeyToPath> Items { get; init; } = [];

    /// <summary>Whether it may be absent.</summary>
    public bool? Optional { get; init; }
}

/// <summary>Fields of the pod.</summary>
[Definition("io.k8s.api.core.v1.DownwardAPIProjection")]
public sealed record DownwardAPIProjection
{
    /// <summary>The files.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<DownwardAPIVolumeFile> Items { get; init; } = [];
}

/// <summary>A token of the pod's service account.</summary>
[Definition("io.k8s.api.core.v1.ServiceAccountTokenProjection")]
public sealed record ServiceAccountTokenProjection
{
    /// <summary>Who the token is for; the API server by default.</summary>
    public string? Audience { get; init; }

    /// <summary>Life of the token; renewed before its end. 3600 by default.</summary>
    public long? ExpirationSeconds { get; init; }

    /// <summary>Relative path of the file.</summary>
    [Must] public string Path { get; init; } = "";
}

/// <summary>Certificates of trust bundles.</summary>
[Definition("io.k8s.api.core.v1.ClusterTrustBundleProjection")]
public sealed record ClusterTrustBundleProjection
{
    /// <summary>One bundle by name.</summary>
    public string? Name { get; init; }

    /// <summary>Bundles of a signer.</summary>
    public string? SignerName { get; init; }

    /// <summary>Which bundles of the signer.</summary>
    public LabelSelector? LabelSelector { get; init; }

    /// <summary>Whether they may be absent.</summary>
    public bool? Optional { get; init; }

    /// <summary>Relative path of the file.</summary>
    [Must] public string Path { get; init; } = "";
}

/// <summary>A claim in the same namespace.</summary>
[Definition("io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource")]
public sealed record PersistentVolumeClaimVolumeSource
{
    /// <summary>Name of the claim.</summary>
    [Must] public string ClaimName { get; init; } = "";

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A claim made for the pod.</summary>
[Definition("io.k8s.api.core.v1.EphemeralVolumeSource")]
public sealed record EphemeralVolumeSource
{
    /// <summary>The claim.</summary>
    public PersistentVolumeClaimTemplate? VolumeClaimTemplate { get; init; }
}

/// <summary>A claim to make.</summary>
[Definition("io.k8s.api.core.v1.PersistentVolumeClaimTemplate")]
public sealed record PersistentVolumeClaimTemplate
{
    /// <summary>Labels and annotations of the claim.</summary>
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is claimed.</summary>
    [Must] public PersistentVolumeClaimSpec Spec { get; init; } = new();
}

/// <summary>What is claimed.</summary>
[Definition("io.k8s.api.core.v1.PersistentVolumeClaimSpec")]
public sealed record PersistentVolumeClaimSpec
{
    /// <summary>How the volume may be mounted.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> AccessModes { get; init; } = [];

    /// <summary>Volumes by label.</summary>
    public LabelSelector? Selector { get; init; }

    /// <summary>Least size.</summary>
    public VolumeResourceRequirements? Resources { get; init; }

    /// <summary>The volume that is bound.</summary>
    public string? VolumeName { get; init; }

    /// <summary>Storage class.</summary>
    public string? StorageClassName { get; init; }

    /// <summary>Filesystem or Block.</summary>
    public string? VolumeMode { get; init; }

    /// <summary>Object to fill the volume from.</summary>
    public TypedLocalObjectReference? DataSource { get; init; }

    /// <summary>Object to fill the volume from, of any kind.</summary>
    public TypedObjectReference? DataSourceRef { get; init; }

    /// <summary>Class of mutable attributes.</summary>
    public string? VolumeAttributesClassName { get; init; }
}

/// <summary>Size of a volume.</summary>
[Definition("io.k8s.api.core.v1.VolumeResourceRequirements")]
public sealed record VolumeResourceRequirements
{
    /// <summary>Most.</summary>
    public IReadOnlyDictionary<string, Quantity> Limits { get; init; } = Empty.Map<Quantity>();

    /// <summary>Least.</summary>
    public IReadOnlyDictionary<string, Quantity> Requests { get; init; } = Empty.Map<Quantity>();
}

/// <summary>A volume of a CSI driver.</summary>
[Definition("io.k8s.api.core.v1.CSIVolumeSource")]
public sealed record CSIVolumeSource
{
    /// <summary>Name of the driver.</summary>
    [Must] public string Driver { get; init; } = "";

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Settings for the driver.</summary>
    public IReadOnlyDictionary<string, string> VolumeAttributes { get; init; } = Empty.Strings;

    /// <summary>Secret for the driver.</summary>
    public LocalObjectReference? NodePublishSecretRef { get; init; }
}

/// <summary>The content of an image.</summary>
[Definition("io.k8s.api.core.v1.ImageVolumeSource")]
public sealed record ImageVolumeSource
{
    /// <summary>The image.</summary>
    public string? Reference { get; init; }

    /// <summary>When the image is pulled.</summary>
    public string? PullPolicy { get; init; }
}

/// <summary>An NFS export.</summary>
[Definition("io.k8s.api.core.v1.NFSVolumeSource")]
public sealed record NFSVolumeSource
{
    /// <summary>The server.</summary>
    [Must] public string Server { get; init; } = "";

    /// <summary>Path exported by the server.</summary>
    [Must] public string Path { get; init; } = "";

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}
