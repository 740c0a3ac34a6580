using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>What a pod runs, where, and with which rights.</summary>
[Definition("io.k8s.api.core.v1.PodSpec")]
public sealed record PodSpec
{
    /// <summary>Volumes that containers can mount.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge | PatchStrategy.RetainKeys, "name")]
    public IReadOnlyList<Volume> Volumes { get; init; } = [];

    /// <summary>Run in order before the containers; one with restartPolicy Always keeps running beside them.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<Container> InitContainers { get; init; } = [];

    /// <summary>The containers of the pod; at least one.</summary>
    [Must, List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<Container> Containers { get; init; } = [];

    /// <summary>Debug containers added to a running pod through the ephemeralcontainers subresource.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<EphemeralContainer> EphemeralContainers { get; init; } = [];

    /// <summary>When a container that ended is started again. Always by default.</summary>
    [OneOf("Always", "Never", "OnFailure")] public string? RestartPolicy { get; init; }

    /// <summary>Seconds between the stop signal and the kill. 30 by default.</summary>
    public long? TerminationGracePeriodSeconds { get; init; }

    /// <summary>Seconds after which the system marks the pod failed and stops it.</summary>
    public long? ActiveDeadlineSeconds { get; init; }

    /// <summary>How the pod's resolver is set up. ClusterFirst by default.</summary>
    [OneOf("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")] public string? DnsPolicy { get; init; }

    /// <summary>Labels a node must have for the pod to run there.</summary>
    [Atomic] public IReadOnlyDictionary<string, string> NodeSelector { get; init; } = Empty.Strings;

    /// <summary>Service account the pod runs as.</summary>
    public string? ServiceAccountName { get; init; }

    /// <summary>Deprecated alias of serviceAccountName.</summary>
    public string? ServiceAccount { get; init; }

    /// <summary>Whether a service account token is mounted.</summary>
    public bool? AutomountServiceAccountToken { get; init; }

    /// <summary>Node the pod is bound to; set by the scheduler.</summary>
    public string? NodeName { get; init; }

    /// <summary>Use the network namespace of the node.</summary>
    public bool? HostNetwork { get; init; }

    /// <summary>Use the process namespace of the node.</summary>
    public bool? HostPID { get; init; }

    /// <summary>Use the IPC namespace of the node.</summary>
    public bool? HostIPC { get; init; }

    /// <summary>One process namespace for all containers of the pod.</summary>
    public bool? ShareProcessNamespace { get; init; }

    /// <summary>Rights and identities for all containers.</summary>
    public PodSecurityContext? SecurityContext { get; init; }

    /// <summary>Secrets with credentials for image registries.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<LocalObjectReference> ImagePullSecrets { get; init; } = [];

    /// <summary>Host name of the pod; its own name by default.</summary>
    public string? Hostname { get; init; }

    /// <summary>With hostname: the domain under which the pod is known.</summary>
    public string? Subdomain { get; init; }

    /// <summary>Scheduling rules by labels of nodes and other pods.</summary>
    public Affinity? Affinity { get; init; }

    /// <summary>Scheduler that places the pod.</summary>
    public string? SchedulerName { get; init; }

    /// <summary>Taints that the pod accepts.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<Toleration> Tolerations { get; init; } = [];

    /// <summary>Entries added to the hosts file.</summary>
    [List(ListType.Map, "ip"), Patch(PatchStrategy.Merge, "ip")] public IReadOnlyList<HostAlias> HostAliases { get; init; } = [];

    /// <summary>Name of the priority class.</summary>
    public string? PriorityClassName { get; init; }

    /// <summary>Priority number, resolved from the class at admission.</summary>
    public int? Priority { get; init; }

    /// <summary>Resolver settings added to those of dnsPolicy.</summary>
    public PodDNSConfig? DnsConfig { get; init; }

    /// <summary>Extra conditions that must be True for the pod to be ready.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PodReadinessGate> ReadinessGates { get; init; } = [];

    /// <summary>Runtime class that runs the pod.</summary>
    public string? RuntimeClassName { get; init; }

    /// <summary>Whether services appear as environment variables. True by default.</summary>
    public bool? EnableServiceLinks { get; init; }

    /// <summary>Whether the pod may push out pods of lower priority.</summary>
    [OneOf("Never", "PreemptLowerPriority")] public string? PreemptionPolicy { get; init; }

    /// <summary>Resources the runtime itself takes, set from the runtime class.</summary>
    public IReadOnlyDictionary<string, Quantity> Overhead { get; init; } = Empty.Map<Quantity>();

    /// <summary>How pods spread over zones, nodes or other domains.</summary>
    [List(ListType.Map, "topologyKey", "whenUnsatisfiable"), Patch(PatchStrategy.Merge, "topologyKey")]
    public IReadOnlyList<TopologySpreadConstraint> TopologySpreadConstraints { get; init; } = [];

    /// <summary>Set the full domain name as host name.</summary>
    public bool? SetHostnameAsFQDN { get; init; }

    /// <summary>Operating system the pod needs.</summary>
    public PodOS? Os { get; init; }

    /// <summary>False gives the pod a user namespace of its own.</summary>
    public bool? HostUsers { get; init; }

    /// <summary>While any is present the pod is not scheduled.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge, "name")] public IReadOnlyList<PodSchedulingGate> SchedulingGates { get; init; } = [];

    /// <summary>Device claims the pod needs before it starts.</summary>
    [List(ListType.Map, "name"), Patch(PatchStrategy.Merge | PatchStrategy.RetainKeys, "name")]
    public IReadOnlyList<PodResourceClaim> ResourceClaims { get; init; } = [];

    /// <summary>Resources of the pod as a whole.</summary>
    public ResourceRequirements? Resources { get; init; }
}

/// <summary>Name of an object in the same namespace.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.LocalObjectReference")]
public sealed record LocalObjectReference
{
    /// <summary>Name of the object.</summary>
    public string? Name { get; init; }
}

/// <summary>An address and its names in the hosts file.</summary>
[Definition("io.k8s.api.core.v1.HostAlias")]
public sealed record HostAlias
{
    /// <summary>The address.</summary>
    [Must] public string Ip { get; init; } = "";

    /// <summary>Names of the address.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Hostnames { get; init; } = [];
}

/// <summary>A condition that readiness waits for.</summary>
[Definition("io.k8s.api.core.v1.PodReadinessGate")]
public sealed record PodReadinessGate
{
    /// <summary>Type of the condition in the pod's status.</summary>
    [Must] public string ConditionType { get; init; } = "";
}

/// <summary>A named reason not to schedule yet.</summary>
[Definition("io.k8s.api.core.v1.PodSchedulingGate")]
public sealed record PodSchedulingGate
{
    /// <summary>Name of the gate.</summary>
    [Must] public string Name { get; init; } = "";
}

/// <summary>The operating system a pod is made for.</summary>
[Definition("io.k8s.api.core.v1.PodOS")]
public sealed record PodOS
{
    /// <summary>linux or windows.</summary>
    [Must] public string Name { get; init; } = "";
}

/// <summary>A device claim by name or template.</summary>
[Definition("io.k8s.api.core.v1.PodResourceClaim")]
public sealed record PodResourceClaim
{
    /// <summary>Name by which containers refer to it.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Existing claim in the same namespace.</summary>
    public string? ResourceClaimName { get; init; }

    /// <summary>Template from which a claim is made for this pod.</summary>
    public string? ResourceClaimTemplateName { get; init; }
}

/// <summary>Resolver settings of a pod.</summary>
[Definition("io.k8s.api.core.v1.PodDNSConfig")]
public sealed record PodDNSConfig
{
    /// <summary>Addresses of name servers.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Nameservers { get; init; } = [];

    /// <summary>Domains searched for short names.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Searches { get; init; } = [];

    /// <summary>Resolver options.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PodDNSConfigOption> Options { get; init; } = [];
}

/// <summary>One resolver option.</summary>
[Definition("io.k8s.api.core.v1.PodDNSConfigOption")]
public sealed record PodDNSConfigOption
{
    /// <summary>Name of the option.</summary>
    public string? Name { get; init; }

    /// <summary>Value, where the option has one.</summary>
    public string? Value { get; init; }
}
