using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>An old form of <see cref="PeerAuthentication"/>, as `security.istio.io/v1beta1` never had it and manifests in the wild do.</summary>
[Kind("security.istio.io", "v1beta1", "Policy", Plural = "policies", Categories = ["istio-io", "security-istio-io"], DefinitionPrefix = "io.istio.security.v1beta1")]
public sealed record OldPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For which workloads, and how.</summary>
    public PolicySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();

    /// <summary>The modern form. A mode beside mtls counts as one inside it, and mtls without a mode is STRICT, as it was.</summary>
    public PeerAuthentication ToPeerAuthentication() => new()
    {
        Metadata = Metadata,
        Spec = new PeerAuthenticationSpec
        {
            Selector = Spec.PodSelector.Count == 0 ? null : new PolicySelector { MatchLabels = Spec.PodSelector },
            Mtls = Spec.Peers.Count == 0 ? null : new MutualTLS { Mode = Spec.Peers[0].Mtls?.Mode ?? Spec.Peers[0].Mode ?? "STRICT" },
        },
    };
}

/// <summary>For which workloads, and how.</summary>
public sealed record PolicySpec
{
    /// <summary>How clients show who they are; the first counts.</summary>
    public IReadOnlyList<PolicyPeer> Peers { get; init; } = [];

    /// <summary>Labels of the workloads; all of the namespace when empty.</summary>
    public IReadOnlyDictionary<string, string> PodSelector { get; init; } = Empty.Strings;
}

/// <summary>How clients show who they are.</summary>
public sealed record PolicyPeer
{
    /// <summary>By mutual TLS.</summary>
    public MutualTLS? Mtls { get; init; }

    /// <summary>The mode, when it stands beside mtls.</summary>
    [OneOf("UNSET", "DISABLE", "PERMISSIVE", "STRICT")] public string? Mode { get; init; }
}
