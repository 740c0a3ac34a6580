using System.Text.Json.Serialization;
using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>One container of a pod.</summary>
[Definition("io.k8s.api.core.v1.Container")]
public sealed record Container
{
    /// <summary>Name, a DNS label, unique in the pod.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Image to run.</summary>
    public string? Image { get; init; }

    /// <summary>Program and first arguments, instead of the image's entry point.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>Arguments, instead of the image's.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>Working directory, instead of the image's.</summary>
    public string? WorkingDir { get; init; }

    /// <summary>Ports that the container listens on.</summary>
    [List(ListType.Map, "containerPort", "protocol"), Patch(PatchStrategy.Merge, "containerPort")]
    public IReadOnlyList<ContainerPort> Ports { get; init; } = [];

    /// <summary>Config maps and secrets whose keys become environment variables.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<EnvFromSource> EnvFrom { get; init; } = [];

    /// <summary>Environment variables.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<EnvVar> Env { get; init; } = [];

    /// <summary>Requested and allowed resources.</summary>
    public ResourceRequirements? Resources { get; init; }

    /// <summary>What a change of resources means for the running container.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ContainerResizePolicy> ResizePolicy { get; init; } = [];

    /// <summary>Of an init container: Always makes it a sidecar.</summary>
    public string? RestartPolicy { get; init; }

    /// <summary>Where volumes appear in the container.</summary>
    [List(ListType.Map, "mountPath"), Patch(PatchStrategy.Merge, "mountPath")] public IReadOnlyList<VolumeMount> VolumeMounts { get; init; } = [];

    /// <summary>Block devices of the container.</summary>
    [List(ListType.Map, "devicePath"), Patch(PatchStrategy.Merge, "devicePath")] public IReadOnlyList<VolumeDevice> VolumeDevices { get; init; } = [];

    /// <summary>Restart the container when this fails.</summary>
    public Probe? LivenessProbe { get; init; }

    /// <summary>Take the pod out of services while this fails.</summary>
    public Probe? ReadinessProbe { get; init; }

    /// <summary>Hold the other probes until this passes once.</summary>
    public Probe? StartupProbe { get; init; }

    /// <summary>Actions after the start and before the stop.</summary>
    public Lifecycle? Lifecycle { get; init; }

    /// <summary>File whose content is reported when the container ends.</summary>
    public string? TerminationMessagePath { get; init; }

    /// <summary>Where the termination message comes from.</summary>
    [OneOf("FallbackToLogsOnError", "File")] public string? TerminationMessagePolicy { get; init; }

    /// <summary>When the image is pulled.</summary>
    [OneOf("Always", "IfNotPresent", "Never")] public string? ImagePullPolicy { get; init; }

    /// <summary>Rights and identity of the container.</summary>
    public SecurityContext? SecurityContext { get; init; }

    /// <summary>Keep standard input open.</summary>
    public bool? Stdin { get; init; }

    /// <summary>Close standard input after the first attached client leaves.</summary>
    public bool? StdinOnce { get; init; }

    /// <summary>Give the container a terminal.</summary>
    public bool? Tty { get; init; }
}

/// <summary>A container added to a running pod for debugging.</summary>
[Definition("io.k8s.api.core.v1.EphemeralContainer")]
public sealed record EphemeralContainer
{
    /// <summary>Name, unique among all containers of the pod.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Image to run.</summary>
    public string? Image { get; init; }

    /// <summary>Program and first arguments, instead of the image's entry point.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>Arguments, instead of the image's.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>Working directory, instead of the image's.</summary>
    public string? WorkingDir { get; init; }

    /// <summary>Not allowed for ephemeral containers.</summary>
    [List(ListType.Map, "containerPort", "protocol"), Patch(PatchStrategy.Merge, "containerPort")]
    public IReadOnlyList<ContainerPort> Ports { get; init; } = [];

    /// <summary>Config maps and secrets whose keys become environment variables.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<EnvFromSource> EnvFrom { get; init; } = [];

    /// <summary>Environment variables.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<EnvVar> Env { get; init; } = [];

    /// <summary>Not allowed for ephemeral containers.</summary>
    public ResourceRequirements? Resources { get; init; }

    /// <summary>Not allowed for ephemeral containers.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ContainerResizePolicy> ResizePolicy { get; init; } = [];

    /// <summary>Not allowed for ephemeral containers.</summary>
    public string? RestartPolicy { get; init; }

    /// <summary>Where volumes appear in the container.</summary>
    [List(ListType.Map, "mountPath"), Patch(PatchStrategy.Merge, "mountPath")] public IReadOnlyList<VolumeMount> VolumeMounts { get; init; } = [];

    /// <summary>Block devices of the container.</summary>
    [List(ListType.Map, "devicePath"), Patch(PatchStrategy.Merge, "devicePath")] public IReadOnlyList<VolumeDevice> VolumeDevices { get; init; } = [];

    /// <summary>Not allowed for ephemeral containers.</summary>
    public Probe? LivenessProbe { get; init; }

    /// <summary>Not allowed for ephemeral containers.</summary>
    public Probe? ReadinessProbe { get; init; }

    /// <summary>Not allowed for ephemeral containers.</summary>
    public Probe? StartupProbe { get; init; }

    /// <summary>Not allowed for ephemeral containers.</summary>
    public Lifecycle? Lifecycle { get; init; }

    /// <summary>File whose content is reported when the container ends.</summary>
    public string? TerminationMessagePath { get; init; }

    /// <summary>Where the termination message comes from.</summary>
    [OneOf("FallbackToLogsOnError", "File")] public string? TerminationMessagePolicy { get; init; }

    /// <summary>When the image is pulled.</summary>
    [OneOf("Always", "IfNotPresent", "Never")] public string? ImagePullPolicy { get; init; }

    /// <summary>Rights and identity of the container.</summary>
    public SecurityContext? SecurityContext { get; init; }

    /// <summary>Keep standard input open.</summary>
    public bool? Stdin { get; init; }

    /// <summary>Close standard input after the first attached client leaves.</summary>
    public bool? StdinOnce { get; init; }

    /// <summary>Give the container a terminal.</summary>
    public bool? Tty { get; init; }

    /// <summary>Container whose process namespace is shared.</summary>
    public string? TargetContainerName { get; init; }
}

/// <summary>A port a container listens on.</summary>
[Definition("io.k8s.api.core.v1.ContainerPort")]
public sealed record ContainerPort
{
    /// <summary>Name that services can refer to.</summary>
    public string? Name { get; init; }

    /// <summary>Port of the node that leads to the container.</summary>
    public int? HostPort { get; init; }

    /// <summary>Port number in the container.</summary>
    [Must, JsonPropertyName("containerPort")] public int Port { get; init; }

    /// <summary>TCP, UDP or SCTP.</summary>
    [Default("\"TCP\""), OneOf("SCTP", "TCP", "UDP")] public string? Protocol { get; init; }

    /// <summary>Address of the node that hostPort is bound to.</summary>
    public string? HostIP { get; init; }
}

/// <summary>What a change of one resource means.</summary>
[Definition("io.k8s.api.core.v1.ContainerResizePolicy")]
public sealed record ContainerResizePolicy
{
    /// <summary>cpu or memory.</summary>
    [Must] public string ResourceName { get; init; } = "";

    /// <summary>NotRequired or RestartContainer.</summary>
    [Must] public string RestartPolicy { get; init; } = "";
}

/// <summary>Requested and allowed amounts.</summary>
[Definition("io.k8s.api.core.v1.ResourceRequirements")]
public sealed record ResourceRequirements
{
    /// <summary>The most that may be used.</summary>
    public IReadOnlyDictionary<string, Quantity> Limits { get; init; } = Empty.Map<Quantity>();

    /// <summary>What is set aside; equals limits where absent.</summary>
    public IReadOnlyDictionary<string, Quantity> Requests { get; init; } = Empty.Map<Quantity>();

    /// <summary>Device claims of the pod that the container uses.</summary>
    [List(ListType.Map, "name")] public IReadOnlyList<ResourceClaim> Claims { get; init; } = [];
}

/// <summary>A claim of the pod.</summary>
[Definition("io.k8s.api.core.v1.ResourceClaim")]
public sealed record ResourceClaim
{
    /// <summary>Name of the entry in the pod's claims.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>One request of the claim, or all.</summary>
    public string? Request { get; init; }
}
