using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>What is known of a pod's life; written by its node.</summary>
[Definition("io.k8s.api.core.v1.PodStatus")]
public sealed record PodStatus
{
    /// <summary>Generation of the spec that this status describes.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>Where the pod is in its life.</summary>
    [OneOf("Pending", "Running", "Succeeded", "Failed", "Unknown")] public string? Phase { get; init; }

    /// <summary>Scheduled, initialised, ready and others.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<PodCondition> Conditions { get; init; } = [];

    /// <summary>For people: why the pod is in this state.</summary>
    public string? Message { get; init; }

    /// <summary>One word: why the pod is in this state.</summary>
    public string? Reason { get; init; }

    /// <summary>Node on which room is being made for this pod.</summary>
    public string? NominatedNodeName { get; init; }

    /// <summary>Address of the node.</summary>
    public string? HostIP { get; init; }

    /// <summary>All addresses of the node.</summary>
    [List(ListType.Atomic), Patch(PatchStrategy.Merge, "ip")] public IReadOnlyList<HostIP> HostIPs { get; init; } = [];

    /// <summary>Address of the pod.</summary>
    public string? PodIP { get; init; }

    /// <summary>All addresses of the pod, one of each family.</summary>
    [List(ListType.Map, "ip"), Patch(PatchStrategy.Merge, "ip")] public IReadOnlyList<PodIP> PodIPs { get; init; } = [];

    /// <summary>When the node took up the pod.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>State of each init container.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ContainerStatus> InitContainerStatuses { get; init; } = [];

    /// <summary>State of each container.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ContainerStatus> ContainerStatuses { get; init; } = [];

    /// <summary>Quality of service, derived from requests and limits.</summary>
    [OneOf("BestEffort", "Burstable", "Guaranteed")] public string? QosClass { get; init; }

    /// <summary>State of each ephemeral container.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ContainerStatus> EphemeralContainerStatuses { get; init; } = [];

    /// <summary>State of a wanted resize of resources.</summary>
    public string? Resize { get; init; }

    /// <summary>Claims made for the pod.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge | PatchStrategy.RetainKeys, "name")]
    public IReadOnlyList<PodResourceClaimStatus> ResourceClaimStatuses { get; init; } = [];
}

/// <summary>An address of a pod.</summary>
[Definition("io.k8s.api.core.v1.PodIP")]
public sealed record PodIP
{
    /// <summary>The address.</summary>
    [Must] public string Ip { get; init; } = "";
}

/// <summary>An address of a node.</summary>
[Definition("io.k8s.api.core.v1.HostIP")]
public sealed record HostIP
{
    /// <summary>The address.</summary>
    [Must] public string Ip { get; init; } = "";
}

/// <summary>One observed condition of a pod.</summary>
[Definition("io.k8s.api.core.v1.PodCondition")]
public sealed record PodCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When the condition was last checked.</summary>
    public DateTimeOffset? LastProbeTime { get; init; }

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }

    /// <summary>Generation of the spec that the condition describes.</summary>
    public long? ObservedGeneration { get; init; }
}

/// <summary>Claim made for an entry of the pod's claims.</summary>
[Definition("io.k8s.api.core.v1.PodResourceClaimStatus")]
public sealed record PodResourceClaimStatus
{
    /// <summary>Name of the entry.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Name of the claim that was made.</summary>
    public string? ResourceClaimName { get; init; }
}

/// <summary>State of one container.</summary>
[Definition("io.k8s.api.core.v1.ContainerStatus")]
public sealed record ContainerStatus
{
    /// <summary>Name of the container.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Current state.</summary>
    public ContainerState? State { get; init; }

    /// <summary>State before the last restart.</summary>
    public ContainerState? LastState { get; init; }

    /// <summary>Whether the readiness probe passes.</summary>
    [Must] public bool Ready { get; init; }

    /// <summary>How often the container was restarted.</summary>
    [Must] public int RestartCount { get; init; }

    /// <summary>Image that runs.</summary>
    [Must] public string Image { get; init; } = "";

    /// <summary>Identity of the image that runs.</summary>
    [Must] public string ImageID { get; init; } = "";

    /// <summary>Identity of the container, as type://id.</summary>
    public string? ContainerID { get; init; }

    /// <summary>Whether the startup probe has passed.</summary>
    public bool? Started { get; init; }

    /// <summary>Resources the node has set aside.</summary>
    public IReadOnlyDictionary<string, Quantity> AllocatedResources { get; init; } = Empty.Map<Quantity>();

    /// <summary>Requests and limits in force.</summary>
    public ResourceRequirements? Resources { get; init; }

    /// <summary>State of the mounts.</summary>
    [List(ListType.Map, "mountPath"), Patch(PatchStrategy.Merge, "mountPath")]
    public IReadOnlyList<VolumeMountStatus> VolumeMounts { get; init; } = [];

    /// <summary>User that the first process started with.</summary>
    public ContainerUser? User { get; init; }

    /// <summary>State of devices given to the container.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")]
    public IReadOnlyList<ResourceStatus> AllocatedResourcesStatus { get; init; } = [];

    /// <summary>Signal that stops the container.</summary>
    public string? StopSignal { get; init; }
}

/// <summary>One of waiting, running, terminated.</summary>
[Definition("io.k8s.api.core.v1.ContainerState")]
public sealed record ContainerState
{
    /// <summary>Not started yet.</summary>
    public ContainerStateWaiting? Waiting { get; init; }

    /// <summary>Running.</summary>
    public ContainerStateRunning? Running { get; init; }

    /// <summary>Ended.</summary>
    public ContainerStateTerminated? Terminated { get; init; }
}

/// <summary>Why a container does not run yet.</summary>
[Definition("io.k8s.api.core.v1.ContainerStateWaiting")]
public sealed record ContainerStateWaiting
{
    /// <summary>One word.</summary>
    public string? Reason { get; init; }

    /// <summary>For people.</summary>
    public string? Message { get; init; }
}

/// <summary>Since when a container runs.</summary>
[Definition("io.k8s.api.core.v1.ContainerStateRunning")]
public sealed record ContainerStateRunning
{
    /// <summary>Time of the start.</summary>
    public DateTimeOffset? StartedAt { get; init; }
}

/// <summary>How a container ended.</summary>
[Definition("io.k8s.api.core.v1.ContainerStateTerminated")]
public sealed record ContainerStateTerminated
{
    /// <summary>Exit status of the first process.</summary>
    [Must] public int ExitCode { get; init; }

    /// <summary>Signal that ended it.</summary>
    public int? Signal { get; init; }

    /// <summary>One word.</summary>
    public string? Reason { get; init; }

    /// <summary>Termination message or reason, for people.</summary>
    public string? Message { get; init; }

    /// <summary>Time of the start.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Time of the end.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Identity of the container.</summary>
    public string? ContainerID { get; init; }
}

/// <summary>State of one mount.</summary>
[Definition("io.k8s.api.core.v1.VolumeMountStatus")]
public sealed record VolumeMountStatus
{
    /// <summary>Volume that is mounted.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Path in the container.</summary>
    [Must] public string MountPath { get; init; } = "";

    /// <summary>Whether it is mounted read-only.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Whether mounts below it are read-only too.</summary>
    public string? RecursiveReadOnly { get; init; }
}

/// <summary>Identity of a container's first process.</summary>
[Definition("io.k8s.api.core.v1.ContainerUser")]
public sealed record ContainerUser
{
    /// <summary>Identity on Linux.</summary>
    public LinuxContainerUser? Linux { get; init; }
}

/// <summary>Ids of a Linux process.</summary>
[Definition("io.k8s.api.core.v1.LinuxContainerUser")]
public sealed record LinuxContainerUser
{
    /// <summary>User id.</summary>
    [Must] public long Uid { get; init; }

    /// <summary>Primary group id.</summary>
    [Must] public long Gid { get; init; }

    /// <summary>Further group ids.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<long> SupplementalGroups { get; init; } = [];
}

/// <summary>Health of a kind of device.</summary>
[Definition("io.k8s.api.core.v1.ResourceStatus")]
public sealed record ResourceStatus
{
    /// <summary>Name of the resource.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Health of each device.</summary>
    [List(ListType.Map, "resourceID")] public IReadOnlyList<ResourceHealth> Resources { get; init; } = [];
}

/// <summary>Health of one device.</summary>
[Definition("io.k8s.api.core.v1.ResourceHealth")]
public sealed record ResourceHealth
{
    /// <summary>Identity of the device.</summary>
    [Must] public string ResourceID { get; init; } = "";

    /// <summary>Healthy, Unhealthy or Unknown.</summary>
    public string? Health { get; init; }
}
