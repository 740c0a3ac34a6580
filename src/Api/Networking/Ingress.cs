using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Networking;

/// <summary>Leads HTTP requests from outside to services.</summary>
[Kind("networking.k8s.io", "v1", "Ingress", Plural = "ingresses", ShortNames = ["ing"], DefinitionPrefix = "io.k8s.api.networking.v1")]
public sealed record Ingress : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The rules.</summary>
    public IngressSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IngressStatus Status { get; init; } = new();
}

/// <summary>The rules of an ingress.</summary>
[Definition("io.k8s.api.networking.v1.IngressSpec")]
public sealed record IngressSpec
{
    /// <summary>Class that carries it out.</summary>
    public string? IngressClassName { get; init; }

    /// <summary>Where requests go that match no rule.</summary>
    public IngressBackend? DefaultBackend { get; init; }

    /// <summary>Certificates by host.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<IngressTLS> Tls { get; init; } = [];

    /// <summary>Rules by host.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<IngressRule> Rules { get; init; } = [];
}

/// <summary>Where requests go.</summary>
[Definition("io.k8s.api.networking.v1.IngressBackend")]
public sealed record IngressBackend
{
    /// <summary>A service.</summary>
    public IngressServiceBackend? Service { get; init; }

    /// <summary>Another object.</summary>
    public TypedLocalObjectReference? Resource { get; init; }
}

/// <summary>A service as a backend.</summary>
[Definition("io.k8s.api.networking.v1.IngressServiceBackend")]
public sealed record IngressServiceBackend
{
    /// <summary>Name of the service.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Its port.</summary>
    public ServiceBackendPort? Port { get; init; }
}

/// <summary>A port of a service, by name or number.</summary>
[Atomic]
[Definition("io.k8s.api.networking.v1.ServiceBackendPort")]
public sealed record ServiceBackendPort
{
    /// <summary>Name of the port.</summary>
    public string? Name { get; init; }

    /// <summary>Its number.</summary>
    public int? Number { get; init; }
}

/// <summary>A certificate for hosts.</summary>
[Definition("io.k8s.api.networking.v1.IngressTLS")]
public sealed record IngressTLS
{
    /// <summary>The hosts.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Secret with the certificate.</summary>
    public string? SecretName { get; init; }
}

/// <summary>Rules of one host.</summary>
[Definition("io.k8s.api.networking.v1.IngressRule")]
public sealed record IngressRule
{
    /// <summary>The host; any when absent.</summary>
    public string? Host { get; init; }

    /// <summary>Rules by path.</summary>
    public HTTPIngressRuleValue? Http { get; init; }
}

/// <summary>Rules by path.</summary>
[Definition("io.k8s.api.networking.v1.HTTPIngressRuleValue")]
public sealed record HTTPIngressRuleValue
{
    /// <summary>The paths.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<HTTPIngressPath> Paths { get; init; } = [];
}

/// <summary>A path and where it leads.</summary>
[Definition("io.k8s.api.networking.v1.HTTPIngressPath")]
public sealed record HTTPIngressPath
{
    /// <summary>The path.</summary>
    public string? Path { get; init; }

    /// <summary>How it is compared.</summary>
    [Must, OneOf("Exact", "ImplementationSpecific", "Prefix")] public string? PathType { get; init; }

    /// <summary>Where it leads.</summary>
    [Must] public IngressBackend Backend { get; init; } = new();
}

/// <summary>What was last observed of an ingress.</summary>
[Definition("io.k8s.api.networking.v1.IngressStatus")]
public sealed record IngressStatus
{
    /// <summary>Where it is reached.</summary>
    public IngressLoadBalancerStatus? LoadBalancer { get; init; }
}

/// <summary>Where an ingress is reached.</summary>
[Definition("io.k8s.api.networking.v1.IngressLoadBalancerStatus")]
public sealed record IngressLoadBalancerStatus
{
    /// <summary>Addresses and names.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<IngressLoadBalancerIngress> Ingress { get; init; } = [];
}

/// <summary>One address or name.</summary>
[Definition("io.k8s.api.networking.v1.IngressLoadBalancerIngress")]
public sealed record IngressLoadBalancerIngress
{
    /// <summary>An address.</summary>
    public string? Ip { get; init; }

    /// <summary>A name.</summary>
    public string? Hostname { get; init; }

    /// <summary>Ports.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<IngressPortStatus> Ports { get; init; } = [];
}

/// <summary>State of one port.</summary>
[Definition("io.k8s.api.networking.v1.IngressPortStatus")]
public sealed record IngressPortStatus
{
    /// <summary>Number.</summary>
    [Must] public int Port { get; init; }

    /// <summary>TCP, UDP or SCTP.</summary>
    [Must] public string Protocol { get; init; } = "";

    /// <summary>What is wrong with it.</summary>
    public string? Error { get; init; }
}

/// <summary>Who carries out ingresses.</summary>
[Kind("networking.k8s.io", "v1", "IngressClass", ClusterScoped = true, Plural = "ingressclasses", DefinitionPrefix = "io.k8s.api.networking.v1")]
public sealed record IngressClass : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Its controller and settings.</summary>
    public IngressClassSpec Spec { get; init; } = new();
}

/// <summary>Controller and settings of an ingress class.</summary>
[Definition("io.k8s.api.networking.v1.IngressClassSpec")]
public sealed record IngressClassSpec
{
    /// <summary>Name of the controller, as a path below a domain.</summary>
    [Immutable] public string? Controller { get; init; }

    /// <summary>An object with settings.</summary>
    public IngressClassParametersReference? Parameters { get; init; }
}

/// <summary>An object with settings.</summary>
[Definition("io.k8s.api.networking.v1.IngressClassParametersReference")]
public sealed record IngressClassParametersReference
{
    /// <summary>API group.</summary>
    public string? ApiGroup { get; init; }

    /// <summary>Kind of the object.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Cluster or Namespace.</summary>
    public string? Scope { get; init; }

    /// <summary>Its namespace.</summary>
    public string? Namespace { get; init; }
}
