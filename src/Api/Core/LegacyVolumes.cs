using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>A disk of Google's cloud.</summary>
[Definition("io.k8s.api.core.v1.GCEPersistentDiskVolumeSource")]
public sealed record GCEPersistentDiskVolumeSource
{
    /// <summary>Name of the disk.</summary>
    [Must] public string PdName { get; init; } = "";

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Partition number.</summary>
    public int? Partition { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A disk of Amazon's cloud.</summary>
[Definition("io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource")]
public sealed record AWSElasticBlockStoreVolumeSource
{
    /// <summary>Id of the disk.</summary>
    [Must] public string VolumeID { get; init; } = "";

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Partition number.</summary>
    public int? Partition { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A clone of a repository.</summary>
[Definition("io.k8s.api.core.v1.GitRepoVolumeSource")]
public sealed record GitRepoVolumeSource
{
    /// <summary>Address of the repository.</summary>
    [Must] public string Repository { get; init; } = "";

    /// <summary>Commit.</summary>
    public string? Revision { get; init; }

    /// <summary>Directory to clone into.</summary>
    public string? Directory { get; init; }
}

/// <summary>An iSCSI disk.</summary>
[Definition("io.k8s.api.core.v1.ISCSIVolumeSource")]
public sealed record ISCSIVolumeSource
{
    /// <summary>Address of the target.</summary>
    [Must] public string TargetPortal { get; init; } = "";

    /// <summary>Name of the target.</summary>
    [Must] public string Iqn { get; init; } = "";

    /// <summary>Number of the unit.</summary>
    [Must] public int Lun { get; init; }

    /// <summary>Interface name.</summary>
    [Default("\"default\"")] public string? IscsiInterface { get; init; }

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Further addresses.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Portals { get; init; } = [];

    /// <summary>CHAP at discovery.</summary>
    public bool? ChapAuthDiscovery { get; init; }

    /// <summary>CHAP for sessions.</summary>
    public bool? ChapAuthSession { get; init; }

    /// <summary>CHAP secret.</summary>
    public LocalObjectReference? SecretRef { get; init; }

    /// <summary>Name of the initiator.</summary>
    public string? InitiatorName { get; init; }
}

/// <summary>A Gluster volume.</summary>
[Definition("io.k8s.api.core.v1.GlusterfsVolumeSource")]
public sealed record GlusterfsVolumeSource
{
    /// <summary>Endpoints object with the servers.</summary>
    [Must] public string Endpoints { get; init; } = "";

    /// <summary>Name of the volume.</summary>
    [Must] public string Path { get; init; } = "";

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A Ceph block image.</summary>
[Definition("io.k8s.api.core.v1.RBDVolumeSource")]
public sealed record RBDVolumeSource
{
    /// <summary>Ceph monitors.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> Monitors { get; init; } = [];

    /// <summary>Image name.</summary>
    [Must] public string Image { get; init; } = "";

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Pool name.</summary>
    [Default("\"rbd\"")] public string? Pool { get; init; }

    /// <summary>User name.</summary>
    [Default("\"admin\"")] public string? User { get; init; }

    /// <summary>Path of the keyring.</summary>
    [Default("\"/etc/ceph/keyring\"")] public string? Keyring { get; init; }

    /// <summary>Secret of the user.</summary>
    public LocalObjectReference? SecretRef { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A volume of an exec driver.</summary>
[Definition("io.k8s.api.core.v1.FlexVolumeSource")]
public sealed record FlexVolumeSource
{
    /// <summary>Name of the driver.</summary>
    [Must] public string Driver { get; init; } = "";

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Secret for the driver.</summary>
    public LocalObjectReference? SecretRef { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Settings for the driver.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = Empty.Strings;
}

/// <summary>A disk of OpenStack.</summary>
[Definition("io.k8s.api.core.v1.CinderVolumeSource")]
public sealed record CinderVolumeSource
{
    /// <summary>Id of the disk.</summary>
    [Must] public string VolumeID { get; init; } = "";

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Credentials.</summary>
    public LocalObjectReference? SecretRef { get; init; }
}

/// <summary>A Ceph file system.</summary>
[Definition("io.k8s.api.core.v1.CephFSVolumeSource")]
public sealed record CephFSVolumeSource
{
    /// <summary>Ceph monitors.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> Monitors { get; init; } = [];

    /// <summary>Path in the file system.</summary>
    public string? Path { get; init; }

    /// <summary>User name.</summary>
    public string? User { get; init; }

    /// <summary>Path of the key ring.</summary>
    public string? SecretFile { get; init; }

    /// <summary>Secret of the user.</summary>
    public LocalObjectReference? SecretRef { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A Flocker volume.</summary>
[Definition("io.k8s.api.core.v1.FlockerVolumeSource")]
public sealed record FlockerVolumeSource
{
    /// <summary>Name of the data set.</summary>
    public string? DatasetName { get; init; }

    /// <summary>Id of the data set.</summary>
    public string? DatasetUUID { get; init; }
}

/// <summary>A fibre channel disk.</summary>
[Definition("io.k8s.api.core.v1.FCVolumeSource")]
public sealed record FCVolumeSource
{
    /// <summary>Names of targets.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> TargetWWNs { get; init; } = [];

    /// <summary>Number of the unit.</summary>
    public int? Lun { get; init; }

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>World-wide ids.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Wwids { get; init; } = [];
}

/// <summary>A share of Azure.</summary>
[Definition("io.k8s.api.core.v1.AzureFileVolumeSource")]
public sealed record AzureFileVolumeSource
{
    /// <summary>Secret with the account.</summary>
    [Must] public string SecretName { get; init; } = "";

    /// <summary>Name of the share.</summary>
    [Must] public string ShareName { get; init; } = "";

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A disk of Azure.</summary>
[Definition("io.k8s.api.core.v1.AzureDiskVolumeSource")]
public sealed record AzureDiskVolumeSource
{
    /// <summary>Name of the disk.</summary>
    [Must] public string DiskName { get; init; } = "";

    /// <summary>Address of the disk.</summary>
    [Must] public string DiskURI { get; init; } = "";

    /// <summary>Host caching.</summary>
    [Default("\"ReadWrite\"")] public string? CachingMode { get; init; }

    /// <summary>File system.</summary>
    [Default("\"ext4\"")] public string? FsType { get; init; }

    /// <summary>Mount it read-only.</summary>
    [Default("false")] public bool? ReadOnly { get; init; }

    /// <summary>Shared, Dedicated or Managed.</summary>
    [Default("\"Shared\"")] public string? Kind { get; init; }
}

/// <summary>A disk of vSphere.</summary>
[Definition("io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource")]
public sealed record VsphereVirtualDiskVolumeSource
{
    /// <summary>Path of the disk.</summary>
    [Must] public string VolumePath { get; init; } = "";

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Storage profile.</summary>
    public string? StoragePolicyName { get; init; }

    /// <summary>Id of the profile.</summary>
    public string? StoragePolicyID { get; init; }
}

/// <summary>A Quobyte volume.</summary>
[Definition("io.k8s.api.core.v1.QuobyteVolumeSource")]
public sealed record QuobyteVolumeSource
{
    /// <summary>Registry addresses.</summary>
    [Must] public string Registry { get; init; } = "";

    /// <summary>Name of the volume.</summary>
    [Must] public string Volume { get; init; } = "";

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>User to map to.</summary>
    public string? User { get; init; }

    /// <summary>Group to map to.</summary>
    public string? Group { get; init; }

    /// <summary>Owning tenant.</summary>
    public string? Tenant { get; init; }
}

/// <summary>A disk of Photon.</summary>
[Definition("io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource")]
public sealed record PhotonPersistentDiskVolumeSource
{
    /// <summary>Id of the disk.</summary>
    [Must] public string PdID { get; init; } = "";

    /// <summary>File system.</summary>
    public string? FsType { get; init; }
}

/// <summary>A Portworx volume.</summary>
[Definition("io.k8s.api.core.v1.PortworxVolumeSource")]
public sealed record PortworxVolumeSource
{
    /// <summary>Id of the volume.</summary>
    [Must] public string VolumeID { get; init; } = "";

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A ScaleIO volume.</summary>
[Definition("io.k8s.api.core.v1.ScaleIOVolumeSource")]
public sealed record ScaleIOVolumeSource
{
    /// <summary>Address of the gateway.</summary>
    [Must] public string Gateway { get; init; } = "";

    /// <summary>Name of the system.</summary>
    [Must] public string System { get; init; } = "";

    /// <summary>Credentials.</summary>
    [Must] public LocalObjectReference? SecretRef { get; init; }

    /// <summary>Whether TLS is used.</summary>
    public bool? SslEnabled { get; init; }

    /// <summary>Protection domain.</summary>
    public string? ProtectionDomain { get; init; }

    /// <summary>Storage pool.</summary>
    public string? StoragePool { get; init; }

    /// <summary>Thick or thin.</summary>
    [Default("\"ThinProvisioned\"")] public string? StorageMode { get; init; }

    /// <summary>Name of the volume.</summary>
    public string? VolumeName { get; init; }

    /// <summary>File system.</summary>
    [Default("\"xfs\"")] public string? FsType { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }
}

/// <summary>A StorageOS volume.</summary>
[Definition("io.k8s.api.core.v1.StorageOSVolumeSource")]
public sealed record StorageOSVolumeSource
{
    /// <summary>Name of the volume.</summary>
    public string? VolumeName { get; init; }

    /// <summary>Its namespace.</summary>
    public string? VolumeNamespace { get; init; }

    /// <summary>File system.</summary>
    public string? FsType { get; init; }

    /// <summary>Mount it read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Credentials.</summary>
    public LocalObjectReference? SecretRef { get; init; }
}
