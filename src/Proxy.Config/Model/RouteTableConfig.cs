namespace Weft.Proxy.Config.Model;

/// <summary>Where the requests of listeners go. Several listeners may have the same table.</summary>
public sealed record RouteTableConfig
{
    public string Name { get; init; } = "";

    public ValueList<VirtualHostConfig> Hosts { get; init; } = [];
}

/// <summary>The routes of some hosts. A request belongs to the host whose domain fits best: exact, the longest wildcard, `*`; with the port before without.</summary>
public sealed record VirtualHostConfig
{
    public string Name { get; init; } = "";

    /// <summary>`a.example`, `*.example` (any number of labels), `*`; each with a port (`a.example:8080`) or for all ports. A domain stands in one host of a table.</summary>
    public ValueList<string> Domains { get; init; } = [];

    /// <summary>The first that matches decides.</summary>
    public ValueList<RouteConfig> Routes { get; init; } = [];

    /// <summary>After those of the listener, before those of the route.</summary>
    public ValueList<FilterConfig> Filters { get; init; } = [];
}

public sealed record RouteConfig
{
    /// <summary>Stands in metrics, records and decisions, and is the key of what belongs to the route over changes (rate limits). Unique in its table.</summary>
    public string Name { get; init; } = "";

    /// <summary>One of them; none: all requests.</summary>
    public ValueList<RouteMatch> Matches { get; init; } = [];

    public RouteAction Action { get; init; } = DirectResponse.NotFound;

    /// <summary>In order, after those of listener and host. What comes back passes them in the opposite order.</summary>
    public ValueList<FilterConfig> Filters { get; init; } = [];

    /// <summary>Without the filters of listener and host: for a health page that anyone may see.</summary>
    public bool OwnFiltersOnly { get; init; }
}
