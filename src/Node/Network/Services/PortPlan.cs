using System.Collections.Immutable;

namespace Weft.Node.Network.Services;

/// <param name="Local">On this node.</param>
internal readonly record struct Backend(string Address, int Port, bool Local)
{
    public override string ToString() => $"{Address}:{Port}";
}

/// <summary>One port of a service, as this node is to serve it.</summary>
internal sealed record PortPlan
{
    /// <summary>`namespace/name`.</summary>
    public required string Service { get; init; }

    /// <summary>`tcp` or `udp`.</summary>
    public required string Protocol { get; init; }
    public required int Port { get; init; }
    public string? ClusterIp { get; init; }
    public int? NodePort { get; init; }

    /// <summary>Load balancer addresses: source ranges hold for them.</summary>
    public ImmutableArray<string> LoadBalancerIps { get; init; } = [];
    public ImmutableArray<string> ExternalIps { get; init; } = [];

    /// <summary>Whether the service wants this port of the machine's own addresses, too; the oldest service gets it.</summary>
    public bool ClaimsOwnPort { get; init; }
    public ImmutableArray<string> SourceRanges { get; init; } = [];

    /// <summary>Those that take connections, of all nodes.</summary>
    public ImmutableArray<Backend> Everywhere { get; init; } = [];

    /// <summary>Those of this node.</summary>
    public ImmutableArray<Backend> Here { get; init; } = [];
    public bool InternalLocal { get; init; }
    public bool ExternalLocal { get; init; }

    /// <summary>How long a client stays with its endpoint; null: no affinity.</summary>
    public int? AffinitySeconds { get; init; }

    public bool HasOutside => NodePort is not null || ClaimsOwnPort || !LoadBalancerIps.IsEmpty || !ExternalIps.IsEmpty;
}

/// <param name="Age">Orders claims of the same thing by several services: creation time, then name.</param>
internal sealed record ServicePlan(string Service, string Age, ImmutableArray<PortPlan> Ports);
