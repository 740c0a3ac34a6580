namespace Weft.Control.Scheduling.Framework;

/// <summary>What may happen to a cluster that makes an unschedulable pod worth another try.</summary>
[Flags]
internal enum ClusterEvents
{
    None = 0,
    NodeAdded = 1,
    NodeAllocatableChanged = 2,
    NodeLabelsChanged = 4,

    /// <summary>Taints, or the unschedulable flag.</summary>
    NodeTaintsChanged = 8,

    /// <summary>A pod that took up a node has gone or ended.</summary>
    PodRemoved = 16,

    /// <summary>A pod was placed, or a placed pod changed its labels.</summary>
    PodPlaced = 32,

    NamespaceChanged = 64,

    /// <summary>A claim, a volume or a storage class came, went or changed.</summary>
    VolumesChanged = 128,
}
