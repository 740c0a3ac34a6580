using System.Text.Json.Serialization;
using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>A machine that runs pods.</summary>
[Kind("", "v1", "Node", ClusterScoped = true, ShortNames = ["no"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record Node : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>How the node is to be used.</summary>
    public NodeSpec Spec { get; init; } = new();

    /// <summary>What the node reports.</summary>
    public NodeStatus Status { get; init; } = new();
}

/// <summary>How a node is to be used.</summary>
[Definition("io.k8s.api.core.v1.NodeSpec")]
public sealed record NodeSpec
{
    /// <summary>Range of pod addresses.</summary>
    public string? PodCIDR { get; init; }

    /// <summary>Ranges of pod addresses, one of each family.</summary>
    [List(ListType.Set), Patch(PatchStrategy.Merge)] public IReadOnlyList<string> PodCIDRs { get; init; } = [];

    /// <summary>Identity at the cloud provider.</summary>
    public string? ProviderID { get; init; }

    /// <summary>Whether new pods are kept away.</summary>
    public bool? Unschedulable { get; init; }

    /// <summary>What pods must tolerate to run here.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<Taint> Taints { get; init; } = [];

    /// <summary>Removed feature; kept for old objects.</summary>
    public NodeConfigSource? ConfigSource { get; init; }

    /// <summary>Deprecated.</summary>
    public string? ExternalID { get; init; }
}

/// <summary>Keeps away pods that do not tolerate it.</summary>
[Definition("io.k8s.api.core.v1.Taint")]
public sealed record Taint
{
    /// <summary>Key of the taint.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>Value of the taint.</summary>
    public string? Value { get; init; }

    /// <summary>What it does to pods.</summary>
    [Must, OneOf("NoExecute", "NoSchedule", "PreferNoSchedule")] public string Effect { get; init; } = "";

    /// <summary>When a NoExecute taint was added.</summary>
    public DateTimeOffset? TimeAdded { get; init; }
}

/// <summary>Removed feature; kept for old objects.</summary>
[Definition("io.k8s.api.core.v1.NodeConfigSource")]
public sealed record NodeConfigSource
{
    /// <summary>A config map.</summary>
    public ConfigMapNodeConfigSource? ConfigMap { get; init; }
}

/// <summary>Removed feature; kept for old objects.</summary>
[Definition("io.k8s.api.core.v1.ConfigMapNodeConfigSource")]
public sealed record ConfigMapNodeConfigSource
{
    /// <summary>Its namespace.</summary>
    [Must] public string Namespace { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Its uid.</summary>
    public string? Uid { get; init; }

    /// <summary>Its version.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>Key with the configuration.</summary>
    [Must] public string KubeletConfigKey { get; init; } = "";
}

/// <summary>What a node reports.</summary>
[Definition("io.k8s.api.core.v1.NodeStatus")]
public sealed record NodeStatus
{
    /// <summary>All resources of the node.</summary>
    public IReadOnlyDictionary<string, Quantity> Capacity { get; init; } = Empty.Map<Quantity>();

    /// <summary>Resources for pods.</summary>
    public IReadOnlyDictionary<string, Quantity> Allocatable { get; init; } = Empty.Map<Quantity>();

    /// <summary>Deprecated.</summary>
    public string? Phase { get; init; }

    /// <summary>Ready and pressure conditions.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<NodeCondition> Conditions { get; init; } = [];

    /// <summary>Addresses and names of the node.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<NodeAddress> Addresses { get; init; } = [];

    /// <summary>Ports of the agent.</summary>
    public NodeDaemonEndpoints? DaemonEndpoints { get; init; }

    /// <summary>Identity and versions.</summary>
    public NodeSystemInfo? NodeInfo { get; init; }

    /// <summary>Images on the node.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ContainerImage> Images { get; init; } = [];

    /// <summary>Volumes that pods use.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> VolumesInUse { get; init; } = [];

    /// <summary>Volumes attached to the node.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<AttachedVolume> VolumesAttached { get; init; } = [];

    /// <summary>Removed feature; kept for old objects.</summary>
    public NodeConfigStatus? Config { get; init; }

    /// <summary>Runtime handlers and their features.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NodeRuntimeHandler> RuntimeHandlers { get; init; } = [];

    /// <summary>Features of the runtime.</summary>
    public NodeFeatures? Features { get; init; }
}

/// <summary>One observed condition of a node.</summary>
[Definition("io.k8s.api.core.v1.NodeCondition")]
public sealed record NodeCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When the node last reported it.</summary>
    public DateTimeOffset? LastHeartbeatTime { get; init; }

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}

/// <summary>An address of a node.</summary>
[Definition("io.k8s.api.core.v1.NodeAddress")]
public sealed record NodeAddress
{
    /// <summary>InternalIP, ExternalIP, Hostname, ...</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>The address.</summary>
    [Must] public string Address { get; init; } = "";
}

/// <summary>Ports of the agent.</summary>
[Definition("io.k8s.api.core.v1.NodeDaemonEndpoints")]
public sealed record NodeDaemonEndpoints
{
    /// <summary>The agent's API.</summary>
    public DaemonEndpoint? KubeletEndpoint { get; init; }
}

/// <summary>A port.</summary>
[Definition("io.k8s.api.core.v1.DaemonEndpoint")]
public sealed record DaemonEndpoint
{
    /// <summary>Number of the port. (Written with a capital letter on the wire.)</summary>
    [Must, JsonPropertyName("Port")] public int Port { get; init; }
}

/// <summary>Identity and versions of a node.</summary>
[Definition("io.k8s.api.core.v1.NodeSystemInfo")]
public sealed record NodeSystemInfo
{
    /// <summary>Machine id.</summary>
    [Must] public string MachineID { get; init; } = "";

    /// <summary>System id.</summary>
    [Must] public string SystemUUID { get; init; } = "";

    /// <summary>Id of this boot.</summary>
    [Must] public string BootID { get; init; } = "";

    /// <summary>Kernel version.</summary>
    [Must] public string KernelVersion { get; init; } = "";

    /// <summary>Name of the operating system.</summary>
    [Must] public string OsImage { get; init; } = "";

    /// <summary>Runtime and its version.</summary>
    [Must] public string ContainerRuntimeVersion { get; init; } = "";

    /// <summary>Version of the agent.</summary>
    [Must] public string KubeletVersion { get; init; } = "";

    /// <summary>Deprecated.</summary>
    [Must] public string KubeProxyVersion { get; init; } = "";

    /// <summary>linux or windows.</summary>
    [Must] public string OperatingSystem { get; init; } = "";

    /// <summary>Processor architecture.</summary>
    [Must] public string Architecture { get; init; } = "";
}

/// <summary>An image on a node.</summary>
[Definition("io.k8s.api.core.v1.ContainerImage")]
public sealed record ContainerImage
{
    /// <summary>Names of the image.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Its size.</summary>
    public long? SizeBytes { get; init; }
}

/// <summary>A volume attached to a node.</summary>
[Definition("io.k8s.api.core.v1.AttachedVolume")]
public sealed record AttachedVolume
{
    /// <summary>Name of the volume.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Path of the device.</summary>
    [Must] public string DevicePath { get; init; } = "";
}

/// <summary>Removed feature; kept for old objects.</summary>
[Definition("io.k8s.api.core.v1.NodeConfigStatus")]
public sealed record NodeConfigStatus
{
    /// <summary>Wanted.</summary>
    public NodeConfigSource? Assigned { get; init; }

    /// <summary>In use.</summary>
    public NodeConfigSource? Active { get; init; }

    /// <summary>Last that worked.</summary>
    public NodeConfigSource? LastKnownGood { get; init; }

    /// <summary>What went wrong.</summary>
    public string? Error { get; init; }
}

/// <summary>A runtime handler.</summary>
[Definition("io.k8s.api.core.v1.NodeRuntimeHandler")]
public sealed record NodeRuntimeHandler
{
    /// <summary>Name; empty for the default.</summary>
    public string? Name { get; init; }

    /// <summary>What it can do.</summary>
    public NodeRuntimeHandlerFeatures? Features { get; init; }
}

/// <summary>What a runtime handler can do.</summary>
[Definition("io.k8s.api.core.v1.NodeRuntimeHandlerFeatures")]
public sealed record NodeRuntimeHandlerFeatures
{
    /// <summary>Recursive read-only mounts.</summary>
    public bool? RecursiveReadOnlyMounts { get; init; }

    /// <summary>User namespaces.</summary>
    public bool? UserNamespaces { get; init; }
}

/// <summary>Features of the runtime.</summary>
[Definition("io.k8s.api.core.v1.NodeFeatures")]
public sealed record NodeFeatures
{
    /// <summary>supplementalGroupsPolicy is honoured.</summary>
    public bool? SupplementalGroupsPolicy { get; init; }
}
