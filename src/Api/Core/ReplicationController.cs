using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Keeps a number of equal pods running; the forerunner of the replica set.</summary>
[Kind("", "v1", "ReplicationController", ShortNames = ["rc"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record ReplicationController : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public ReplicationControllerSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public ReplicationControllerStatus Status { get; init; } = new();
}

/// <summary>What a replication controller wants.</summary>
[Definition("io.k8s.api.core.v1.ReplicationControllerSpec")]
public sealed record ReplicationControllerSpec
{
    /// <summary>Number of pods. 1 by default.</summary>
    public int? Replicas { get; init; }

    /// <summary>Seconds a pod must be ready to count as available.</summary>
    public int? MinReadySeconds { get; init; }

    /// <summary>Labels of the pods; those of the template by default.</summary>
    [Atomic] public IReadOnlyDictionary<string, string> Selector { get; init; } = Empty.Strings;

    /// <summary>The pod.</summary>
    public PodTemplateSpec? Template { get; init; }
}

/// <summary>What was last observed of a replication controller.</summary>
[Definition("io.k8s.api.core.v1.ReplicationControllerStatus")]
public sealed record ReplicationControllerStatus
{
    /// <summary>Pods in all.</summary>
    [Must] public int Replicas { get; init; }

    /// <summary>Pods with all labels of the template.</summary>
    public int? FullyLabeledReplicas { get; init; }

    /// <summary>Ready pods.</summary>
    public int? ReadyReplicas { get; init; }

    /// <summary>Pods ready for minReadySeconds.</summary>
    public int? AvailableReplicas { get; init; }

    /// <summary>Generation that was observed.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>ReplicaFailure.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<ReplicationControllerCondition> Conditions { get; init; } = [];
}

/// <summary>One observed condition of a replication controller.</summary>
[Definition("io.k8s.api.core.v1.ReplicationControllerCondition")]
public sealed record ReplicationControllerCondition
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
