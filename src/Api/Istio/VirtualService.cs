using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>Says where requests and connections for hosts go, and what is done to them on the way.</summary>
[Kind("networking.istio.io", "v1", "VirtualService", ShortNames = ["vs"], Categories = ["istio-io", "networking-istio-io"],
    OlderVersions = ["v1beta1", "v1alpha3"], DefinitionPrefix = "io.istio.networking.v1")]
public sealed record VirtualService : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The rules.</summary>
    public VirtualServiceSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>The rules of a virtual service.</summary>
public sealed record VirtualServiceSpec
{
    // Istio has no bound; the object's size would allow some 60,000, and each stands in every proxy with all rules.
    public const int MostHosts = 1024;

    // Istio has no bound; each namespace may have a table of its own for each port of each host. Whoever means more of them writes "*".
    public const int MostExports = 256;

    /// <summary>Hosts that the rules are for: names, or wildcards such as *.example.com. A short name is one of the object's namespace. Empty for a delegate.</summary>
    [Count(0, MostHosts)] public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Gateways that the rules are for, as name or namespace/name; mesh stands for all clients in the mesh. Mesh alone by default.</summary>
    public IReadOnlyList<string> Gateways { get; init; } = [];

    /// <summary>Rules for HTTP requests; the first that matches decides.</summary>
    public IReadOnlyList<HTTPRoute> Http { get; init; } = [];

    /// <summary>Rules for TLS connections that are not ended here, by the name that the client asks for.</summary>
    public IReadOnlyList<TLSRoute> Tls { get; init; } = [];

    /// <summary>Rules for other connections.</summary>
    public IReadOnlyList<TCPRoute> Tcp { get; init; } = [];

    /// <summary>Namespaces whose clients the rules are for: "*" for all, "." for the object's own. All by default.</summary>
    [Count(0, MostExports)] public IReadOnlyList<string> ExportTo { get; init; } = [];
}

/// <summary>A host that traffic is sent to.</summary>
public sealed record Destination
{
    /// <summary>Name of a service of the platform or of a service entry. A short name is one of the object's namespace.</summary>
    [Must] public string Host { get; init; } = "";

    /// <summary>One of the subsets of the host's destination rule.</summary>
    public string? Subset { get; init; }

    /// <summary>Port of the host; may be left out when it has only one, or when that of the request is meant.</summary>
    public PortSelector? Port { get; init; }
}

/// <summary>A port by its number.</summary>
public sealed record PortSelector
{
    /// <summary>The number.</summary>
    [RangeOf(0, 65535)] public int? Number { get; init; }
}

/// <summary>A rule for TLS connections.</summary>
public sealed record TLSRoute
{
    /// <summary>One of them must hold.</summary>
    [Must] public IReadOnlyList<TLSMatchAttributes> Match { get; init; } = [];

    /// <summary>Where the connections go.</summary>
    public IReadOnlyList<RouteDestination> Route { get; init; } = [];
}

/// <summary>A rule for connections.</summary>
public sealed record TCPRoute
{
    /// <summary>One of them must hold; all connections when empty.</summary>
    public IReadOnlyList<L4MatchAttributes> Match { get; init; } = [];

    /// <summary>Where the connections go.</summary>
    public IReadOnlyList<RouteDestination> Route { get; init; } = [];
}

/// <summary>Conditions on a TLS connection; all that are given must hold.</summary>
public sealed record TLSMatchAttributes
{
    /// <summary>Names that the client may ask for; each must be one of the virtual service's hosts or below a wildcard of them.</summary>
    [Must] public IReadOnlyList<string> SniHosts { get; init; } = [];

    /// <summary>Address ranges that the connection was meant for.</summary>
    public IReadOnlyList<string> DestinationSubnets { get; init; } = [];

    /// <summary>Port that the connection was meant for.</summary>
    [RangeOf(0, 65535)] public int? Port { get; init; }

    /// <summary>Labels of the client's workload.</summary>
    public IReadOnlyDictionary<string, string> SourceLabels { get; init; } = Empty.Strings;

    /// <summary>Gateways in place of those of the virtual service.</summary>
    public IReadOnlyList<string> Gateways { get; init; } = [];

    /// <summary>Namespace of the client's workload.</summary>
    public string? SourceNamespace { get; init; }
}

/// <summary>Conditions on a connection; all that are given must hold.</summary>
public sealed record L4MatchAttributes
{
    /// <summary>Address ranges that the connection was meant for.</summary>
    public IReadOnlyList<string> DestinationSubnets { get; init; } = [];

    /// <summary>Port that the connection was meant for.</summary>
    [RangeOf(0, 65535)] public int? Port { get; init; }

    /// <summary>Address range of the client.</summary>
    public string? SourceSubnet { get; init; }

    /// <summary>Labels of the client's workload.</summary>
    public IReadOnlyDictionary<string, string> SourceLabels { get; init; } = Empty.Strings;

    /// <summary>Gateways in place of those of the virtual service.</summary>
    public IReadOnlyList<string> Gateways { get; init; } = [];

    /// <summary>Namespace of the client's workload.</summary>
    public string? SourceNamespace { get; init; }
}

/// <summary>A host with its share of the connections.</summary>
public sealed record RouteDestination
{
    /// <summary>The host.</summary>
    [Must] public Destination Destination { get; init; } = new();

    /// <summary>Share in proportion to the sum of all weights.</summary>
    public int? Weight { get; init; }
}
