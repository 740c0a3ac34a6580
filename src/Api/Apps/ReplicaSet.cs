using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Apps;

/// <summary>Keeps a number of equal pods running.</summary>
[Kind("apps", "v1", "ReplicaSet", ShortNames = ["rs"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.apps.v1")]
public sealed record ReplicaSet : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public ReplicaSetSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public ReplicaSetStatus Status { get; init; } = new();
}

/// <summary>What a replica set wants.</summary>
[Definition("io.k8s.api.apps.v1.ReplicaSetSpec")]
public sealed record ReplicaSetSpec
{
    /// <summary>Number of pods. 1 by default.</summary>
    public int? Replicas { get; init; }

    /// <summary>Seconds a pod must be ready to count as available.</summary>
    public int? MinReadySeconds { get; init; }

    /// <summary>Pods of the set; matches the labels of the template.</summary>
    [Must, Immutable] public LabelSelector Selector { get; init; } = new();

    /// <summary>The pod.</summary>
    public PodTemplateSpec? Template { get; init; }
}

/// <summary>What was last observed of a replica set.</summary>
[Definition("io.k8s.api.apps.v1.ReplicaSetStatus")]
public sealed record ReplicaSetStatus
{
    /// <summary>Pods in all.</summary>
    [Must] public int Replicas { get; init; }

    /// <summary>Pods with all labels of the template.</summary>
    public int? FullyLabeledReplicas { get; init; }

    /// <summary>Ready pods.</summary>
    public int? ReadyReplicas { get; init; }

    /// <summary>Pods ready for minReadySeconds.</summary>
    public int? AvailableReplicas { get; init; }

    /// <summary>Pods that are stopping.</summary>
    public int? TerminatingReplicas { get; init; }

    /// <summary>Generation that was observed.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>ReplicaFailure.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<ReplicaSetCondition> Conditions { get; init; } = [];
}

/// <summary>One observed condition of a replica set.</summary>
[Definition("io.k8s.api.apps.v1.ReplicaSetCondition")]
public sealed record ReplicaSetCondition
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
