using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing.Table;

namespace Weft.Proxy.Routing;

/// <summary>What takes a request.</summary>
/// <param name="PrefixLength">How much of the path a rewrite of the prefix replaces.</param>
/// <param name="Deciding">Filters of the listener, where rules of the host ask for what these find out: when they have agreed, the route is to be looked for again. Null: no rule does.</param>
internal readonly record struct RouteFound(Route Route, int PrefixLength, IFilter[]? Deciding = null);

/// <summary>The routes of a listener, compiled. Immutable; asked by all loops; a question allocates nothing.</summary>
internal sealed class RouteTable
{
    private readonly HostIndex _hosts;
    private readonly Route _otherwise;

    private RouteTable(HostIndex hosts, Route otherwise) => (_hosts, _otherwise) = (hosts, otherwise);

    /// <param name="listener">Whose filters all routes have; where no route takes a request, its default cluster does, or 404 is the answer.</param>
    /// <exception cref="ArgumentException">The table is not valid (<see cref="ConfigValidator"/> says so before).</exception>
    public static RouteTable Compile(RouteTableConfig table, ListenerConfig listener, FilterFactory factory)
    {
        var common = factory.Create(listener.Filters, $"listener/{listener.Name}");
        return Of(listener, common).With([], table.Hosts.Select(host => (host, HostOf(host, table.Name, listener.Name, common, factory))));
    }

    /// <summary>Without hosts.</summary>
    /// <param name="common">Filters of the listener.</param>
    public static RouteTable Of(ListenerConfig listener, IFilter[] common) => new(HostIndex.Empty, new Route(Otherwise(listener), "", common));

    /// <summary>The routes of one host.</summary>
    /// <param name="common">Filters of the listener.</param>
    public static HostRoutes HostOf(VirtualHostConfig host, string table, string listener, IFilter[] common, FilterFactory factory)
    {
        var key = $"{listener}/{table}/{host.Name}";
        var own = factory.Create(host.Filters, key);
        var rules = new List<RouteRule>();
        foreach (var config in host.Routes)
        {
            var filters = factory.Create(config.Filters, config.Filters.IsEmpty ? "" : $"{key}/{config.Name}");
            var route = new Route(config, host.Name, config.OwnFiltersOnly ? filters : [.. common, .. own, .. filters]);
            foreach (var match in config.Matches.IsEmpty ? [RouteMatch.Any] : config.Matches)
                rules.Add(new(rules.Count, route, match));
        }

        return new(host.Name, rules);
    }

    /// <summary>Another table, at the cost of the hosts that are different.</summary>
    /// <param name="gone">Of this one.</param>
    /// <exception cref="ArgumentException">A domain stands twice.</exception>
    public RouteTable With(IEnumerable<VirtualHostConfig> gone, IEnumerable<(VirtualHostConfig Config, HostRoutes Routes)> come) =>
        new(_hosts.With(gone.SelectMany(host => host.Domains), come.SelectMany(host => host.Config.Domains.Select(domain => (domain, host.Routes)))), _otherwise);

    /// <summary>Never without an answer: where nothing fits, the route of the listener itself.</summary>
    public RouteFound Find(RequestFacts facts)
    {
        var host = _hosts.Find(facts);
        var rule = host?.Find(facts);
        var deciding = host?.AsksClaims == true && _otherwise.Filters.Length > 0 ? _otherwise.Filters : null;
        return rule is null ? new(_otherwise, 0, deciding) : new(rule.Route, rule.PrefixLength, rule.Route.Config.OwnFiltersOnly ? null : deciding);
    }

    /// <summary>Whose routes are asked; null: no host's.</summary>
    public HostRoutes? HostOf(RequestFacts facts) => _hosts.Find(facts);

    private static RouteConfig Otherwise(ListenerConfig listener) => new()
    {
        Name = "no-route",
        Action = listener.DefaultCluster is { } cluster ? new ForwardAction { Clusters = [new() { Cluster = cluster }] } : DirectResponse.NotFound,
    };
}
