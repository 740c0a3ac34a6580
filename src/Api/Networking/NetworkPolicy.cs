using Weft.Api.Schemas;

namespace Weft.Api.Networking;

/// <summary>Who may talk to some pods, and to whom they may talk.</summary>
[Kind("networking.k8s.io", "v1", "NetworkPolicy", Plural = "networkpolicies", ShortNames = ["netpol"], DefinitionPrefix = "io.k8s.api.networking.v1")]
public sealed record NetworkPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The rules.</summary>
    public NetworkPolicySpec Spec { get; init; } = new();
}

/// <summary>The rules of a network policy.</summary>
[Definition("io.k8s.api.networking.v1.NetworkPolicySpec")]
public sealed record NetworkPolicySpec
{
    /// <summary>The pods; empty for all of the namespace.</summary>
    public LabelSelector PodSelector { get; init; } = new();

    /// <summary>What may come in. None: nothing.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NetworkPolicyIngressRule> Ingress { get; init; } = [];

    /// <summary>What may go out. None: nothing.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NetworkPolicyEgressRule> Egress { get; init; } = [];

    /// <summary>Ingress, Egress or both.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> PolicyTypes { get; init; } = [];
}

/// <summary>Traffic that may come in.</summary>
[Definition("io.k8s.api.networking.v1.NetworkPolicyIngressRule")]
public sealed record NetworkPolicyIngressRule
{
    /// <summary>To which ports; all when empty.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NetworkPolicyPort> Ports { get; init; } = [];

    /// <summary>From whom; anybody when empty.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NetworkPolicyPeer> From { get; init; } = [];
}

/// <summary>Traffic that may go out.</summary>
[Definition("io.k8s.api.networking.v1.NetworkPolicyEgressRule")]
public sealed record NetworkPolicyEgressRule
{
    /// <summary>To which ports; all when empty.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NetworkPolicyPort> Ports { get; init; } = [];

    /// <summary>To whom; anybody when empty.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NetworkPolicyPeer> To { get; init; } = [];
}

/// <summary>Ports of a rule.</summary>
[Definition("io.k8s.api.networking.v1.NetworkPolicyPort")]
public sealed record NetworkPolicyPort
{
    /// <summary>TCP by default.</summary>
    public string? Protocol { get; init; }

    /// <summary>Number, or name of a pod's port; all when absent.</summary>
    public IntOrString? Port { get; init; }

    /// <summary>Last number of a range.</summary>
    public int? EndPort { get; init; }
}

/// <summary>Whom a rule is about.</summary>
[Definition("io.k8s.api.networking.v1.NetworkPolicyPeer")]
public sealed record NetworkPolicyPeer
{
    /// <summary>Pods by label.</summary>
    public LabelSelector? PodSelector { get; init; }

    /// <summary>Namespaces by label; the policy's own when absent.</summary>
    public LabelSelector? NamespaceSelector { get; init; }

    /// <summary>Addresses.</summary>
    public IPBlock? IpBlock { get; init; }
}

/// <summary>Addresses of a rule.</summary>
[Definition("io.k8s.api.networking.v1.IPBlock")]
public sealed record IPBlock
{
    /// <summary>A range.</summary>
    [Must] public string Cidr { get; init; } = "";

    /// <summary>Parts of it that do not count.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Except { get; init; } = [];
}
