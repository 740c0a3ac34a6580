using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Discovery;

/// <summary>Some of the endpoints of a service.</summary>
[Kind("discovery.k8s.io", "v1", "EndpointSlice", DefinitionPrefix = "io.k8s.api.discovery.v1")]
public sealed record EndpointSlice : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Kind of the addresses.</summary>
    [Must, OneOf("FQDN", "IPv4", "IPv6"), Immutable] public string AddressType { get; init; } = "";

    /// <summary>The endpoints; at most 1000.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<Endpoint> Endpoints { get; init; } = [];

    /// <summary>Ports of all endpoints.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<EndpointPort> Ports { get; init; } = [];
}

/// <summary>One endpoint.</summary>
[Definition("io.k8s.api.discovery.v1.Endpoint")]
public sealed record Endpoint
{
    /// <summary>Its addresses, at most 100.</summary>
    [Must, List(ListType.Set)] public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Its state.</summary>
    public EndpointConditions? Conditions { get; init; }

    /// <summary>Host name.</summary>
    public string? Hostname { get; init; }

    /// <summary>The pod.</summary>
    public ObjectReference? TargetRef { get; init; }

    /// <summary>Of an older version of the API.</summary>
    public IReadOnlyDictionary<string, string> DeprecatedTopology { get; init; } = Empty.Strings;

    /// <summary>Node it is on.</summary>
    public string? NodeName { get; init; }

    /// <summary>Zone it is in.</summary>
    public string? Zone { get; init; }

    /// <summary>Who should use it.</summary>
    public EndpointHints? Hints { get; init; }
}

/// <summary>State of an endpoint.</summary>
[Definition("io.k8s.api.discovery.v1.EndpointConditions")]
public sealed record EndpointConditions
{
    /// <summary>Whether it takes traffic.</summary>
    public bool? Ready { get; init; }

    /// <summary>Whether it would take traffic if it were not terminating.</summary>
    public bool? Serving { get; init; }

    /// <summary>Whether it is stopping.</summary>
    public bool? Terminating { get; init; }
}

/// <summary>Who should use an endpoint.</summary>
[Definition("io.k8s.api.discovery.v1.EndpointHints")]
public sealed record EndpointHints
{
    /// <summary>Zones.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ForZone> ForZones { get; init; } = [];

    /// <summary>Nodes.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ForNode> ForNodes { get; init; } = [];
}

/// <summary>A zone.</summary>
[Definition("io.k8s.api.discovery.v1.ForZone")]
public sealed record ForZone
{
    /// <summary>Name of the zone.</summary>
    [Must] public string Name { get; init; } = "";
}

/// <summary>A node.</summary>
[Definition("io.k8s.api.discovery.v1.ForNode")]
public sealed record ForNode
{
    /// <summary>Name of the node.</summary>
    [Must] public string Name { get; init; } = "";
}

/// <summary>A port of the endpoints.</summary>
[Atomic]
[Definition("io.k8s.api.discovery.v1.EndpointPort")]
public sealed record EndpointPort
{
    /// <summary>Name of the service port.</summary>
    public string? Name { get; init; }

    /// <summary>TCP, UDP or SCTP.</summary>
    [OneOf("SCTP", "TCP", "UDP")] public string? Protocol { get; init; }

    /// <summary>Number.</summary>
    public int? Port { get; init; }

    /// <summary>Application protocol.</summary>
    public string? AppProtocol { get; init; }
}
