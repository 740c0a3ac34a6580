namespace Weft.Proxy.Config.Units;

/// <summary>A DNS zone that the cluster answers for. Key: its name, `cluster.local`.</summary>
public sealed record ZoneUnit
{
    /// <summary>Where the zone's server is asked.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>Address ranges whose reverse names belong to the zone, too: `10.96.0.0/16`.</summary>
    public IReadOnlyList<string> Reverse { get; init; } = [];
}

/// <summary>A service's name, addresses and ports. Key: `namespace/name`.</summary>
public sealed record ServiceUnit
{
    /// <summary>Cluster addresses; empty for a headless service.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Its name stands for the addresses of its endpoints.</summary>
    public bool Headless { get; init; }

    /// <summary>Another name that this one stands for.</summary>
    public string? ExternalName { get; init; }

    public IReadOnlyList<UnitPort> Ports { get; init; } = [];
}

/// <summary>Some of a service's endpoints, apart from the service because they change more often. Key: `namespace/slice`.</summary>
public sealed record EndpointsUnit
{
    /// <summary>Name of the service, in the namespace of the key.</summary>
    public string Service { get; init; } = "";

    public IReadOnlyList<UnitPort> Ports { get; init; } = [];

    public IReadOnlyList<UnitEndpoint> Endpoints { get; init; } = [];
}

/// <param name="Name">Empty for the only port of a service that gave it no name.</param>
/// <param name="Protocol">`tcp`, `udp` or `sctp`.</param>
public sealed record UnitPort(string Name, string Protocol, int Port);

public sealed record UnitEndpoint
{
    public IReadOnlyList<string> Addresses { get; init; } = [];

    public string? Hostname { get; init; }

    /// <summary>Takes new traffic.</summary>
    public bool Ready { get; init; }
}

/// <summary>A pod with addresses. Key: `namespace/name`.</summary>
public sealed record PodUnit
{
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>The addresses are the node's: they do not lead back to this pod.</summary>
    public bool HostNetwork { get; init; }
}

/// <summary>Who stands behind a name of the registry and takes traffic. Key: `service/name`; `node/name` for a node, with one place without a port.</summary>
public sealed record RegisteredUnit
{
    public IReadOnlyList<RegisteredPlace> Places { get; init; } = [];
}

public sealed record RegisteredPlace
{
    /// <summary>IP address, or a host name that the name stands for.</summary>
    public string Address { get; init; } = "";

    public int Port { get; init; }

    /// <summary>Node whose address this is; null: the address is the instance's own.</summary>
    public string? Node { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Share against the others; 0 stands for 1.</summary>
    public int Weight { get; init; }

    /// <summary>As SRV records have it: the lowest is asked first. Answers without one have the lowest alone.</summary>
    public int Priority { get; init; }
}
