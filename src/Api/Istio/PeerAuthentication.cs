using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>Whether workloads take connections without mutual TLS.</summary>
[Kind("security.istio.io", "v1", "PeerAuthentication", ShortNames = ["pa"], Categories = ["istio-io", "security-istio-io"],
    OlderVersions = ["v1beta1"], DefinitionPrefix = "io.istio.security.v1")]
public sealed record PeerAuthentication : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For which workloads, and how.</summary>
    public PeerAuthenticationSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>For which workloads, and how.</summary>
public sealed record PeerAuthenticationSpec
{
    /// <summary>The workloads; all of the namespace when absent, all of the mesh in the root namespace.</summary>
    public PolicySelector? Selector { get; init; }

    /// <summary>For all ports.</summary>
    public MutualTLS? Mtls { get; init; }

    /// <summary>For single ports of the workload, by number.</summary>
    public IReadOnlyDictionary<string, MutualTLS> PortLevelMtls { get; init; } = Empty.Map<MutualTLS>();
}

/// <summary>Whether connections must be mutual TLS.</summary>
public sealed record MutualTLS
{
    /// <summary>UNSET: as the wider policy says; DISABLE: no; PERMISSIVE: both pass; STRICT: others are refused.</summary>
    [OneOf("UNSET", "DISABLE", "PERMISSIVE", "STRICT")] public string? Mode { get; init; }
}
