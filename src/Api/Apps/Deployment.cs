using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Apps;

/// <summary>Keeps a number of equal pods running and rolls out changes.</summary>
[Kind("apps", "v1", "Deployment", ShortNames = ["deploy"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.apps.v1")]
public sealed record Deployment : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public DeploymentSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public DeploymentStatus Status { get; init; } = new();
}

/// <summary>What a deployment wants.</summary>
[Definition("io.k8s.api.apps.v1.DeploymentSpec")]
public sealed record DeploymentSpec
{
    /// <summary>Number of pods. 1 by default.</summary>
    public int? Replicas { get; init; }

    /// <summary>Pods of the deployment; matches the labels of the template.</summary>
    [Must, Immutable] public LabelSelector Selector { get; init; } = new();

    /// <summary>The pod.</summary>
    [Must] public PodTemplateSpec Template { get; init; } = new();

    /// <summary>How old pods are replaced.</summary>
    [Patch(PatchStrategy.RetainKeys)] public DeploymentStrategy? Strategy { get; init; }

    /// <summary>Seconds a pod must be ready to count as available.</summary>
    public int? MinReadySeconds { get; init; }

    /// <summary>Old replica sets to keep. 10 by default.</summary>
    public int? RevisionHistoryLimit { get; init; }

    /// <summary>Whether changes are held back.</summary>
    public bool? Paused { get; init; }

    /// <summary>Seconds without progress until a rollout counts as failed. 600 by default.</summary>
    public int? ProgressDeadlineSeconds { get; init; }
}

/// <summary>How old pods are replaced.</summary>
[Definition("io.k8s.api.apps.v1.DeploymentStrategy")]
public sealed record DeploymentStrategy
{
    /// <summary>RollingUpdate by default.</summary>
    [OneOf("Recreate", "RollingUpdate")] public string? Type { get; init; }

    /// <summary>Settings of a rolling update.</summary>
    public RollingUpdateDeployment? RollingUpdate { get; init; }
}

/// <summary>Settings of a rolling update.</summary>
[Definition("io.k8s.api.apps.v1.RollingUpdateDeployment")]
public sealed record RollingUpdateDeployment
{
    /// <summary>Pods that may be missing, as number or percentage. 25% by default.</summary>
    public IntOrString? MaxUnavailable { get; init; }

    /// <summary>Pods that may be extra, as number or percentage. 25% by default.</summary>
    public IntOrString? MaxSurge { get; init; }
}

/// <summary>What was last observed of a deployment.</summary>
[Definition("io.k8s.api.apps.v1.DeploymentStatus")]
public sealed record DeploymentStatus
{
    /// <summary>Generation that was observed.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>Pods in all.</summary>
    public int? Replicas { get; init; }

    /// <summary>Pods of the current template.</summary>
    public int? UpdatedReplicas { get; init; }

    /// <summary>Ready pods.</summary>
    public int? ReadyReplicas { get; init; }

    /// <summary>Pods ready for minReadySeconds.</summary>
    public int? AvailableReplicas { get; init; }

    /// <summary>Pods missing until all are available.</summary>
    public int? UnavailableReplicas { get; init; }

    /// <summary>Pods that are stopping.</summary>
    public int? TerminatingReplicas { get; init; }

    /// <summary>Available, Progressing, ReplicaFailure.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<DeploymentCondition> Conditions { get; init; } = [];

    /// <summary>Changes the hash when two templates collide.</summary>
    public int? CollisionCount { get; init; }
}

/// <summary>One observed condition of a deployment.</summary>
[Definition("io.k8s.api.apps.v1.DeploymentCondition")]
public sealed record DeploymentCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When the condition was last written.</summary>
    public DateTimeOffset? LastUpdateTime { get; init; }

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}
