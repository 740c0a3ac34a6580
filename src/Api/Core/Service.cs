using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>A name and address for a set of pods.</summary>
[Kind("", "v1", "Service", ShortNames = ["svc"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record Service : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What the service offers.</summary>
    public ServiceSpec Spec { get; init; } = new();

    /// <summary>State of the service.</summary>
    public ServiceStatus Status { get; init; } = new();
}

/// <summary>What a service offers.</summary>
[Definition("io.k8s.api.core.v1.ServiceSpec")]
public sealed record ServiceSpec
{
    /// <summary>Ports of the service.</summary>
    [List(ListType.Map, "port", "protocol"), Patch(PatchStrategy.Merge, "port")] public IReadOnlyList<ServicePort> Ports { get; init; } = [];

    /// <summary>Labels of the pods; empty leaves the endpoints to others.</summary>
    [Atomic] public IReadOnlyDictionary<string, string> Selector { get; init; } = Empty.Strings;

    /// <summary>Address of the service; None for a headless one.</summary>
    public string? ClusterIP { get; init; }

    /// <summary>Addresses, one of each family.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ClusterIPs { get; init; } = [];

    /// <summary>How the service is reached. ClusterIP by default.</summary>
    [OneOf("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")] public string? Type { get; init; }

    /// <summary>Further addresses that lead to the service.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ExternalIPs { get; init; } = [];

    /// <summary>Whether a client stays with one pod. None by default.</summary>
    [OneOf("ClientIP", "None")] public string? SessionAffinity { get; init; }

    /// <summary>Deprecated: wanted address of the load balancer.</summary>
    public string? LoadBalancerIP { get; init; }

    /// <summary>Clients that may use the load balancer.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> LoadBalancerSourceRanges { get; init; } = [];

    /// <summary>Name that the service stands for, with ExternalName.</summary>
    public string? ExternalName { get; init; }

    /// <summary>Whether outside traffic may go to other nodes.</summary>
    [OneOf("Cluster", "Local")] public string? ExternalTrafficPolicy { get; init; }

    /// <summary>Port of the node's health check, with Local.</summary>
    public int? HealthCheckNodePort { get; init; }

    /// <summary>Whether pods that are not ready count.</summary>
    public bool? PublishNotReadyAddresses { get; init; }

    /// <summary>Settings of the affinity.</summary>
    public SessionAffinityConfig? SessionAffinityConfig { get; init; }

    /// <summary>IPv4, IPv6 or both.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> IpFamilies { get; init; } = [];

    /// <summary>One family or two.</summary>
    [OneOf("PreferDualStack", "RequireDualStack", "SingleStack")] public string? IpFamilyPolicy { get; init; }

    /// <summary>Whether a load balancer gets node ports.</summary>
    public bool? AllocateLoadBalancerNodePorts { get; init; }

    /// <summary>Which load balancer implementation.</summary>
    public string? LoadBalancerClass { get; init; }

    /// <summary>Whether inside traffic may go to other nodes.</summary>
    [OneOf("Cluster", "Local")] public string? InternalTrafficPolicy { get; init; }

    /// <summary>Which endpoints are preferred, such as PreferClose.</summary>
    public string? TrafficDistribution { get; init; }
}

/// <summary>A port of a service.</summary>
[Definition("io.k8s.api.core.v1.ServicePort")]
public sealed record ServicePort
{
    /// <summary>Name; needed with several ports.</summary>
    public string? Name { get; init; }

    /// <summary>TCP, UDP or SCTP.</summary>
    [Default("\"TCP\""), OneOf("SCTP", "TCP", "UDP")] public string? Protocol { get; init; }

    /// <summary>Application protocol.</summary>
    public string? AppProtocol { get; init; }

    /// <summary>Port of the service.</summary>
    [Must] public int Port { get; init; }

    /// <summary>Number or name of the pod's port; port by default.</summary>
    public IntOrString? TargetPort { get; init; }

    /// <summary>Port of every node, with NodePort and LoadBalancer.</summary>
    public int? NodePort { get; init; }
}

/// <summary>Settings of the affinity.</summary>
[Definition("io.k8s.api.core.v1.SessionAffinityConfig")]
public sealed record SessionAffinityConfig
{
    /// <summary>By client address.</summary>
    public ClientIPConfig? ClientIP { get; init; }
}

/// <summary>By client address.</summary>
[Definition("io.k8s.api.core.v1.ClientIPConfig")]
public sealed record ClientIPConfig
{
    /// <summary>How long a client stays; 10800 by default.</summary>
    public int? TimeoutSeconds { get; init; }
}

/// <summary>State of a service.</summary>
[Definition("io.k8s.api.core.v1.ServiceStatus")]
public sealed record ServiceStatus
{
    /// <summary>State of the load balancer.</summary>
    public LoadBalancerStatus? LoadBalancer { get; init; }

    /// <summary>Conditions.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<Condition> Conditions { get; init; } = [];
}

/// <summary>State of a load balancer.</summary>
[Definition("io.k8s.api.core.v1.LoadBalancerStatus")]
public sealed record LoadBalancerStatus
{
    /// <summary>Its addresses.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<LoadBalancerIngress> Ingress { get; init; } = [];
}

/// <summary>An address of a load balancer.</summary>
[Definition("io.k8s.api.core.v1.LoadBalancerIngress")]
public sealed record LoadBalancerIngress
{
    /// <summary>The address.</summary>
    public string? Ip { get; init; }

    /// <summary>Or a name.</summary>
    public string? Hostname { get; init; }

    /// <summary>VIP or Proxy.</summary>
    public string? IpMode { get; init; }

    /// <summary>State of the ports.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PortStatus> Ports { get; init; } = [];
}

/// <summary>State of one port.</summary>
[Definition("io.k8s.api.core.v1.PortStatus")]
public sealed record PortStatus
{
    /// <summary>The port.</summary>
    [Must] public int Port { get; init; }

    /// <summary>Its protocol.</summary>
    [Must, OneOf("SCTP", "TCP", "UDP")] public string Protocol { get; init; } = "";

    /// <summary>What went wrong.</summary>
    public string? Error { get; init; }
}
