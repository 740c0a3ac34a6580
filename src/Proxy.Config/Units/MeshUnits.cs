using Weft.Balancing;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Config.Units;

/// <summary>What is spoken on a port.</summary>
public enum PortProtocol
{
    /// <summary>HTTP, TLS or neither: the first bytes tell.</summary>
    Auto,
    Http,
    /// <summary>HTTP/2 without asking, as gRPC has it.</summary>
    Http2,
    /// <summary>TLS that the workloads end themselves.</summary>
    Tls,
    Tcp,
}

/// <summary>What captured connections to the addresses of a host mean.</summary>
public sealed record DestinationUnit
{
    /// <summary>Addresses or ranges; none for a host that is only reached by name or by the addresses of its endpoints.</summary>
    public ValueList<string> Addresses { get; init; } = [];

    /// <summary>Addresses that only the host's ports are reached by: others may have them with ports of their own, and a workload that has one comes first.</summary>
    public ValueList<string> Shared { get; init; } = [];

    /// <summary>Of several hosts with the same shared address and port the one has it whose age, and then name, is first in ordinal order. Empty: nothing is shared.</summary>
    public string Age { get; init; } = "";

    /// <summary>A connection to the address of an endpoint is the host's: its name stands for them (a headless service).</summary>
    public bool ByEndpoint { get; init; }

    /// <summary>What the node's DNS answers for the host's name; null: nothing, the name is somebody else's.</summary>
    public HostAnswer? Answer { get; init; }

    /// <summary>
    /// Namespaces whose policies take the host for the name that it has, when they name a server: of a service those that see it (Istio's `exportTo`), of an entry whoever wrote it, and all that see it when
    /// that is the mesh's root namespace. `*`: all.
    /// </summary>
    public ValueList<string> Namespaces { get; init; } = ["*"];

    /// <summary>Where its endpoints are is the word of who wrote the host, any tenant (an entry, an ExternalName service), and not what the cluster has found or its registry knows.</summary>
    public bool Declared { get; init; }

    public ValueList<DestinationPort> Ports { get; init; } = [];
}

/// <summary>What clients in the mesh, and nobody else, are told when they ask for a host's name: who is not captured would find nobody there.</summary>
public sealed record HostAnswer
{
    public ValueList<string> Addresses { get; init; } = [];

    /// <summary>The addresses are of <see cref="AllocatedAddresses"/>, and lead to the host beside <see cref="DestinationUnit.Addresses"/>; it is found by its name all the same.</summary>
    public bool Allocated { get; init; }

    /// <summary>Namespaces of the clients; none: all.</summary>
    public ValueList<string> Namespaces { get; init; } = [];
}

public sealed record DestinationPort
{
    public int Port { get; init; }

    public PortProtocol Protocol { get; init; }

    /// <summary>Routes of what is HTTP; null: none is spoken.</summary>
    public string? Routes { get; init; }

    /// <summary>Rules for what is not HTTP; the first that matches decides, and without a match the connection is closed.</summary>
    public ValueList<ConnectionRoute> Connections { get; init; } = [];
}

/// <summary>The mesh's own mutual TLS towards endpoints.</summary>
public enum MeshTls
{
    /// <summary>Towards endpoints that have an identity and take it.</summary>
    Auto,
    /// <summary>Endpoints without an identity are not spoken to.</summary>
    Always,
    Never,
}

public sealed record ClusterUnit
{
    /// <summary>In place of a subset in the name of a cluster: that of the endpoint whose address was dialled, of a host with <see cref="DestinationUnit.ByEndpoint"/>.</summary>
    public const string Dialled = "~dialled";

    /// <summary>Without endpoints, unless it finds them by DNS.</summary>
    public ClusterConfig Cluster { get; init; } = new();

    /// <summary>The endpoints are those of all <see cref="BackendsUnit"/> of this host for <see cref="Port"/> that have <see cref="Labels"/>.</summary>
    public string Host { get; init; } = "";

    public int Port { get; init; }

    public ValueMap Labels { get; init; }

    public MeshTls Mesh { get; init; }

    /// <summary>What the cluster's TLS shows, from files.</summary>
    public CertificateConfig? Certificate { get; init; }

    /// <summary>`namespace/name` of the Secret with the authorities of the cluster's TLS, and with what it shows where <see cref="UpstreamTls.Certificate"/> is this name.</summary>
    public string? Secret { get; init; }

    /// <summary>Endpoints that have more of these with the client's node in common, from the first on, go first (Istio's `failoverPriority`).</summary>
    public ValueList<NearnessLabel> Nearness { get; init; } = [];

    /// <summary>Only endpoints of the client's node (`internalTrafficPolicy: Local`).</summary>
    public bool SameNodeOnly { get; init; }

    /// <summary>Hosts whose endpoints take over, one after the other, when the own ones are gone or ejected.</summary>
    public ValueList<BackupHost> Backups { get; init; } = [];

    /// <summary>In place of endpoints: the address that the connection was meant for (Istio's PASSTHROUGH and NONE).</summary>
    public bool OriginalAddress { get; init; }
}

/// <param name="Label">One of <see cref="NodeLabels"/>, or of the endpoint's own labels.</param>
/// <param name="Value">What the endpoint's has to be; null: what the client's node has.</param>
public sealed record NearnessLabel(string Label, string? Value = null);

/// <param name="Port">Of the host, as clients use it.</param>
public sealed record BackupHost(string Host, int Port);

/// <summary>What nodes and their endpoints are known by.</summary>
public static class NodeLabels
{
    public const string Region = "topology.kubernetes.io/region", Zone = "topology.kubernetes.io/zone", Subzone = "topology.istio.io/subzone", Name = "kubernetes.io/hostname";
}

/// <summary>Where a node is, by its labels.</summary>
public sealed record NodeUnit
{
    public Locality Locality { get; init; }
}

/// <summary>Some of a host's endpoints, apart from everything else because they change most often.</summary>
public sealed record BackendsUnit
{
    public string Host { get; init; } = "";

    /// <inheritdoc cref="DestinationUnit.ByEndpoint"/>
    public bool ByEndpoint { get; init; }

    public ValueList<BackendPort> Ports { get; init; } = [];
}

/// <param name="Port">Of the host, as clients use it; the endpoints have their own.</param>
public sealed record BackendPort(int Port, ValueList<EndpointConfig> Endpoints);

public enum MutualTls { Permissive, Strict, Disable }

/// <summary>Who has an address, and what its inbound traffic passes.</summary>
public sealed record WorkloadUnit
{
    public ValueList<string> Addresses { get; init; } = [];

    public string Namespace { get; init; } = "";

    public string ServiceAccount { get; init; } = "";

    /// <summary>`spiffe://...`; null: not in the mesh.</summary>
    public string? Identity { get; init; }

    /// <summary>Where it runs; null: on none of the cluster's nodes.</summary>
    public string? Node { get; init; }

    public ValueMap Labels { get; init; }

    /// <summary>What it sends to hosts that the mesh does not know is refused (Istio's REGISTRY_ONLY).</summary>
    public bool KnownHostsOnly { get; init; }

    public MutualTls MutualTls { get; init; }

    /// <summary>Ports with another mode.</summary>
    public ValueList<PortMutualTls> Ports { get; init; } = [];

    /// <summary>
    /// Names of <see cref="PolicyUnit"/>. A proxy that lacks one of them refuses what comes to the workload. Named here and not found by labels, so that a policy that
    /// could not be read is missed.
    /// </summary>
    public ValueList<string> Policies { get; init; } = [];

    /// <summary>Names of <see cref="TokensUnit"/>, whose issuers make one <see cref="JwtFilter"/> that lets requests without a token pass. A lacking one refuses, too.</summary>
    public ValueList<string> Tokens { get; init; } = [];

    /// <summary>Null: as by default.</summary>
    public WorkloadTelemetry? Telemetry { get; init; }
}

public sealed record PortMutualTls(int Port, MutualTls Mode);

/// <summary>One of both.</summary>
public sealed record PolicyUnit
{
    public AuthorizationPolicyConfig? Authorization { get; init; }

    /// <summary>Before all others.</summary>
    public ExternalAuthorizationFilter? External { get; init; }
}

public sealed record TokensUnit
{
    public ValueList<JwtProviderConfig> Providers { get; init; } = [];
}

/// <summary>A port of the front door.</summary>
public sealed record ListenerUnit
{
    /// <summary>Its certificates are <see cref="Certificates"/>, or named after Secrets: `namespace/name`.</summary>
    public ListenerConfig Listener { get; init; } = new();

    /// <summary>From files.</summary>
    public ValueList<CertificateConfig> Certificates { get; init; } = [];

    /// <summary>`namespace/name` of the Secret with the authorities of clients; null: they are a file, or clients show nothing.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>Likewise for hosts with TLS of their own.</summary>
    public ValueList<HostSecret> HostSecrets { get; init; } = [];

    /// <summary>As in <see cref="WorkloadUnit"/>.</summary>
    public ValueList<string> Policies { get; init; } = [];

    public ValueList<string> Tokens { get; init; } = [];
}

/// <param name="Host">Which of the listener's <see cref="ListenerTls.Hosts"/>, from 0 on.</param>
/// <param name="Secret">`namespace/name`.</param>
public sealed record HostSecret(int Host, string Secret);

/// <summary>What is used of a Secret, in PEM.</summary>
public sealed record SecretUnit
{
    /// <summary>With the intermediate ones behind it.</summary>
    public string? Certificate { get; init; }

    public string? Key { get; init; }

    /// <summary>Whose certificates of the other side are good.</summary>
    public string? Authorities { get; init; }

    /// <summary>Without the content: what is printed ends in logs.</summary>
    public override string ToString() => nameof(SecretUnit);
}
