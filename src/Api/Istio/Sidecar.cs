using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>What workloads reach and how they are reached.</summary>
[Kind("networking.istio.io", "v1", "Sidecar", Categories = ["istio-io", "networking-istio-io"],
    OlderVersions = ["v1beta1", "v1alpha3"], DefinitionPrefix = "io.istio.networking.v1")]
public sealed record Sidecar : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is reached.</summary>
    public SidecarSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>What workloads reach and how they are reached.</summary>
public sealed record SidecarSpec
{
    /// <summary>The workloads; all of the namespace when absent.</summary>
    public WorkloadSelector? WorkloadSelector { get; init; }

    /// <summary>Own ports towards clients.</summary>
    public IReadOnlyList<IstioIngressListener> Ingress { get; init; } = [];

    /// <summary>Hosts that are reached.</summary>
    public IReadOnlyList<IstioEgressListener> Egress { get; init; } = [];

    /// <summary>Limits of connections from clients.</summary>
    public ConnectionPoolSettings? InboundConnectionPool { get; init; }

    /// <summary>What happens to traffic to other hosts.</summary>
    public OutboundTrafficPolicy? OutboundTrafficPolicy { get; init; }
}

/// <summary>A port towards clients.</summary>
public sealed record IstioIngressListener
{
    /// <summary>The port.</summary>
    [Must] public SidecarPort? Port { get; init; }

    /// <summary>Address.</summary>
    public string? Bind { get; init; }

    /// <summary>How connections get there.</summary>
    [OneOf("DEFAULT", "IPTABLES", "NONE")] public string? CaptureMode { get; init; }

    /// <summary>Where they go: 127.0.0.1:port, or a socket.</summary>
    public string? DefaultEndpoint { get; init; }

    /// <summary>TLS towards clients.</summary>
    public ServerTLSSettings? Tls { get; init; }

    /// <summary>Limits of connections.</summary>
    public ConnectionPoolSettings? ConnectionPool { get; init; }
}

/// <summary>Hosts that are reached.</summary>
public sealed record IstioEgressListener
{
    /// <summary>Only this port; all when absent.</summary>
    public SidecarPort? Port { get; init; }

    /// <summary>Address.</summary>
    public string? Bind { get; init; }

    /// <summary>How connections get there.</summary>
    [OneOf("DEFAULT", "IPTABLES", "NONE")] public string? CaptureMode { get; init; }

    /// <summary>Hosts with their namespace before a slash: ns/host, ./*, */*, ~/*.</summary>
    [Must] public IReadOnlyList<string> Hosts { get; init; } = [];
}

/// <summary>A port.</summary>
public sealed record SidecarPort
{
    /// <summary>Number.</summary>
    [RangeOf(0, 65535)] public int? Number { get; init; }

    /// <summary>Protocol.</summary>
    public string? Protocol { get; init; }

    /// <summary>Name.</summary>
    public string? Name { get; init; }

    /// <summary>Not used.</summary>
    [RangeOf(0, 65535)] public int? TargetPort { get; init; }
}

/// <summary>What happens to traffic to other hosts.</summary>
public sealed record OutboundTrafficPolicy
{
    /// <summary>REGISTRY_ONLY: it is refused; ALLOW_ANY: it passes.</summary>
    [OneOf("REGISTRY_ONLY", "ALLOW_ANY")] public string? Mode { get; init; }

    /// <summary>Host that it goes to in place of its own.</summary>
    public Destination? EgressProxy { get; init; }
}
