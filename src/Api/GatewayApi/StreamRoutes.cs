using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>Where TLS connections go, by the host that the client asks for.</summary>
// v1 is what the older versions became; all are served with the older ones' wider schema.
[Kind(Names.Group, "v1", "TLSRoute", Categories = ["gateway-api"], OlderVersions = ["v1alpha3", "v1alpha2"], DefinitionPrefix = Names.Definitions)]
public sealed record TLSRoute : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Which connections, and where they go.</summary>
    [Must] public TLSRouteSpec Spec { get; init; } = new();

    /// <summary>What the parents' controllers say.</summary>
    public RouteStatus Status { get; init; } = new();
}

/// <summary>Which connections, and where they go.</summary>
public sealed record TLSRouteSpec
{
    /// <summary>Gateways or Services that the route is attached to.</summary>
    [Count(0, 32), Rule(ParentRules.Unique, ParentRules.UniqueMessage)] public IReadOnlyList<ParentReference> ParentRefs { get; init; } = [];

    /// <summary>Hosts that clients ask for; all of the listener's when empty.</summary>
    [Count(0, 1024), Length(1, 253), Pattern(Names.Hosts), Rule(@"self.all(h, !h.matches(r'^[0-9.]+$'))", "a host that clients ask for is no address")]
    public IReadOnlyList<string> Hostnames { get; init; } = [];

    /// <summary>The rules.</summary>
    [Must, Count(1, 16)] public IReadOnlyList<StreamRouteRule> Rules { get; init; } = [];
}

/// <summary>Where connections go.</summary>
[Kind(Names.Group, "v1alpha2", "TCPRoute", Categories = ["gateway-api"], DefinitionPrefix = "io.k8s.networking.gateway.v1alpha2")]
public sealed record TCPRoute : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Which connections, and where they go.</summary>
    [Must] public StreamRouteSpec Spec { get; init; } = new();

    /// <summary>What the parents' controllers say.</summary>
    public RouteStatus Status { get; init; } = new();
}

/// <summary>Where datagrams go.</summary>
[Kind(Names.Group, "v1alpha2", "UDPRoute", Categories = ["gateway-api"], DefinitionPrefix = "io.k8s.networking.gateway.v1alpha2")]
public sealed record UDPRoute : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Which datagrams, and where they go.</summary>
    [Must] public StreamRouteSpec Spec { get; init; } = new();

    /// <summary>What the parents' controllers say.</summary>
    public RouteStatus Status { get; init; } = new();
}

/// <summary>From which listeners, and to where.</summary>
public sealed record StreamRouteSpec
{
    /// <summary>Gateways or Services that the route is attached to.</summary>
    [Count(0, 32), Rule(ParentRules.Unique, ParentRules.UniqueMessage)] public IReadOnlyList<ParentReference> ParentRefs { get; init; } = [];

    /// <summary>The rules.</summary>
    [Must, Count(1, 16)] public IReadOnlyList<StreamRouteRule> Rules { get; init; } = [];
}

/// <summary>To where.</summary>
public sealed record StreamRouteRule
{
    /// <summary>Of the rule.</summary>
    [Length(1, 253), Pattern(Names.Section)] public string? Name { get; init; }

    /// <summary>By weight.</summary>
    [Must, Count(1, 16)] public IReadOnlyList<BackendReference> BackendRefs { get; init; } = [];
}
