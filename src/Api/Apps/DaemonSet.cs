using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Apps;

/// <summary>Keeps a pod running on each node.</summary>
[Kind("apps", "v1", "DaemonSet", ShortNames = ["ds"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.apps.v1")]
public sealed record DaemonSet : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public DaemonSetSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public DaemonSetStatus Status { get; init; } = new();
}

/// <summary>What a daemon set wants.</summary>
[Definition("io.k8s.api.apps.v1.DaemonSetSpec")]
public sealed record DaemonSetSpec
{
    /// <summary>Pods of the set; matches the labels of the template.</summary>
    [Must, Immutable] public LabelSelector Selector { get; init; } = new();

    /// <summary>The pod. It runs on the nodes that its node selector and affinity allow.</summary>
    [Must] public PodTemplateSpec Template { get; init; } = new();

    /// <summary>How old pods are replaced.</summary>
    public DaemonSetUpdateStrategy? UpdateStrategy { get; init; }

    /// <summary>Seconds a pod must be ready to count as available.</summary>
    public int? MinReadySeconds { get; init; }

    /// <summary>Old revisions to keep. 10 by default.</summary>
    public int? RevisionHistoryLimit { get; init; }
}

/// <summary>How old pods of a daemon set are replaced.</summary>
[Definition("io.k8s.api.apps.v1.DaemonSetUpdateStrategy")]
public sealed record DaemonSetUpdateStrategy
{
    /// <summary>RollingUpdate by default.</summary>
    [OneOf("OnDelete", "RollingUpdate")] public string? Type { get; init; }

    /// <summary>Settings of a rolling update.</summary>
    public RollingUpdateDaemonSet? RollingUpdate { get; init; }
}

/// <summary>Settings of a rolling update.</summary>
[Definition("io.k8s.api.apps.v1.RollingUpdateDaemonSet")]
public sealed record RollingUpdateDaemonSet
{
    /// <summary>Nodes that may be without a pod, as number or percentage. 1 by default.</summary>
    public IntOrString? MaxUnavailable { get; init; }

    /// <summary>Nodes that may have the new pod beside the old one, as number or percentage. 0 by default.</summary>
    public IntOrString? MaxSurge { get; init; }
}

/// <summary>What was last observed of a daemon set.</summary>
[Definition("io.k8s.api.apps.v1.DaemonSetStatus")]
public sealed record DaemonSetStatus
{
    /// <summary>Nodes that have the pod and should.</summary>
    [Must] public int CurrentNumberScheduled { get; init; }

    /// <summary>Nodes that have the pod and should not.</summary>
    [Must] public int NumberMisscheduled { get; init; }

    /// <summary>Nodes that should have the pod.</summary>
    [Must] public int DesiredNumberScheduled { get; init; }

    /// <summary>Nodes whose pod is ready.</summary>
    [Must] public int NumberReady { get; init; }

    /// <summary>Generation that was observed.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>Nodes with the pod of the current template.</summary>
    public int? UpdatedNumberScheduled { get; init; }

    /// <summary>Nodes whose pod was ready for minReadySeconds.</summary>
    public int? NumberAvailable { get; init; }

    /// <summary>Nodes that should have an available pod and have not.</summary>
    public int? NumberUnavailable { get; init; }

    /// <summary>Changes the hash when two templates collide.</summary>
    public int? CollisionCount { get; init; }

    /// <summary>What goes on with the set.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<DaemonSetCondition> Conditions { get; init; } = [];
}

/// <summary>One observed condition of a daemon set.</summary>
[Definition("io.k8s.api.apps.v1.DaemonSetCondition")]
public sealed record DaemonSetCondition
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
