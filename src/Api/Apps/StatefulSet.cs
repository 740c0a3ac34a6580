using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Apps;

/// <summary>Keeps a number of pods running, each with a name and storage of its own.</summary>
[Kind("apps", "v1", "StatefulSet", ShortNames = ["sts"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.apps.v1")]
public sealed record StatefulSet : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public StatefulSetSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public StatefulSetStatus Status { get; init; } = new();
}

/// <summary>What a stateful set wants.</summary>
[Definition("io.k8s.api.apps.v1.StatefulSetSpec")]
public sealed record StatefulSetSpec
{
    /// <summary>Number of pods. 1 by default.</summary>
    public int? Replicas { get; init; }

    /// <summary>Pods of the set; matches the labels of the template.</summary>
    [Must, Immutable] public LabelSelector Selector { get; init; } = new();

    /// <summary>The pod.</summary>
    [Must] public PodTemplateSpec Template { get; init; } = new();

    /// <summary>Claims that each pod gets.</summary>
    [List(ListType.Atomic), Immutable] public IReadOnlyList<PersistentVolumeClaim> VolumeClaimTemplates { get; init; } = [];

    /// <summary>The headless service under which the pods have names.</summary>
    [Immutable] public string? ServiceName { get; init; }

    /// <summary>OrderedReady by default: one after the other; Parallel: all at once.</summary>
    [OneOf("OrderedReady", "Parallel"), Immutable] public string? PodManagementPolicy { get; init; }

    /// <summary>How old pods are replaced.</summary>
    public StatefulSetUpdateStrategy? UpdateStrategy { get; init; }

    /// <summary>Old revisions to keep. 10 by default.</summary>
    public int? RevisionHistoryLimit { get; init; }

    /// <summary>Seconds a pod must be ready to count as available.</summary>
    public int? MinReadySeconds { get; init; }

    /// <summary>What happens to the claims of pods that are gone.</summary>
    public StatefulSetPersistentVolumeClaimRetentionPolicy? PersistentVolumeClaimRetentionPolicy { get; init; }

    /// <summary>Numbers of the pods.</summary>
    public StatefulSetOrdinals? Ordinals { get; init; }
}

/// <summary>How old pods of a stateful set are replaced.</summary>
[Definition("io.k8s.api.apps.v1.StatefulSetUpdateStrategy")]
public sealed record StatefulSetUpdateStrategy
{
    /// <summary>RollingUpdate by default.</summary>
    [OneOf("OnDelete", "RollingUpdate")] public string? Type { get; init; }

    /// <summary>Settings of a rolling update.</summary>
    public RollingUpdateStatefulSetStrategy? RollingUpdate { get; init; }
}

/// <summary>Settings of a rolling update.</summary>
[Definition("io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy")]
public sealed record RollingUpdateStatefulSetStrategy
{
    /// <summary>Pods with a lower number keep the old template.</summary>
    public int? Partition { get; init; }

    /// <summary>Pods that may be missing, as number or percentage. 1 by default.</summary>
    public IntOrString? MaxUnavailable { get; init; }
}

/// <summary>What happens to the claims of pods that are gone.</summary>
[Definition("io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy")]
public sealed record StatefulSetPersistentVolumeClaimRetentionPolicy
{
    /// <summary>When the set is deleted. Retain by default.</summary>
    [OneOf("Delete", "Retain")] public string? WhenDeleted { get; init; }

    /// <summary>When the set is scaled down. Retain by default.</summary>
    [OneOf("Delete", "Retain")] public string? WhenScaled { get; init; }
}

/// <summary>Numbers of the pods.</summary>
[Definition("io.k8s.api.apps.v1.StatefulSetOrdinals")]
public sealed record StatefulSetOrdinals
{
    /// <summary>Number of the first pod. 0 by default.</summary>
    public int? Start { get; init; }
}

/// <summary>What was last observed of a stateful set.</summary>
[Definition("io.k8s.api.apps.v1.StatefulSetStatus")]
public sealed record StatefulSetStatus
{
    /// <summary>Generation that was observed.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>Pods in all.</summary>
    [Must] public int Replicas { get; init; }

    /// <summary>Ready pods.</summary>
    public int? ReadyReplicas { get; init; }

    /// <summary>Pods of the current revision.</summary>
    public int? CurrentReplicas { get; init; }

    /// <summary>Pods of the update revision.</summary>
    public int? UpdatedReplicas { get; init; }

    /// <summary>Revision that an update leaves.</summary>
    public string? CurrentRevision { get; init; }

    /// <summary>Revision that an update brings.</summary>
    public string? UpdateRevision { get; init; }

    /// <summary>Changes the hash when two templates collide.</summary>
    public int? CollisionCount { get; init; }

    /// <summary>What goes on with the set.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<StatefulSetCondition> Conditions { get; init; } = [];

    /// <summary>Pods ready for minReadySeconds.</summary>
    public int? AvailableReplicas { get; init; }
}

/// <summary>One observed condition of a stateful set.</summary>
[Definition("io.k8s.api.apps.v1.StatefulSetCondition")]
public sealed record StatefulSetCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}
