namespace Weft.Control.Storage;

/// <summary>Annotations and finalizers that others read: Kubernetes' own, and the two by which controller and node agent share a local volume.</summary>
internal static class StorageNames
{
    public const string BindCompleted = "pv.kubernetes.io/bind-completed";
    public const string BoundByController = "pv.kubernetes.io/bound-by-controller";
    public const string ProvisionedBy = "pv.kubernetes.io/provisioned-by";
    public const string SelectedNode = "volume.kubernetes.io/selected-node";
    public const string Provisioner = "volume.kubernetes.io/storage-provisioner";
    public const string OldProvisioner = "volume.beta.kubernetes.io/storage-provisioner";
    public const string ClaimProtection = "kubernetes.io/pvc-protection";
    public const string VolumeProtection = "kubernetes.io/pv-protection";
    public const string DefaultClass = "storageclass.kubernetes.io/is-default-class";

    /// <summary>The provisioner of directories on a node.</summary>
    public const string LocalProvisioner = "weft.dev/local";

    /// <summary>On a node: the directory below which its agent keeps local volumes.</summary>
    public const string LocalDirectory = "weft.dev/local-volumes";

    /// <summary>Holds a volume until the agent of its node has removed the directory.</summary>
    public const string LocalFinalizer = "weft.dev/local-volume";

    public const string Hostname = "kubernetes.io/hostname";
}
