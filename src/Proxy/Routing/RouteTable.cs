using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing.Table;

namespace Weft.Proxy.Routing;

/// <summary>What takes a request.</summary>
/// <param name="PrefixLength">How much of the path a rewrite of the prefix replaces.</param>
internal readonly record struct RouteFound(Route Route, int PrefixLength);

/// <summary>The routes of a listener, compiled. Immutable; asked by all loops; a question allocates nothing.</summary>
internal sealed class RouteTable
{
    private readonly HostIndex _hosts;
    private readonly Route _otherwise;

    private RouteTable(HostIndex hosts, Route otherwise, IFilter[]? deciding) => (_hosts, _otherwise, Deciding) = (hosts, otherwise, deciding);

    /// <summary>Filters of the listener, where rules ask for what these find out: a route is chosen again when they have agreed. Null: no rule does.</summary>
    public IFilter[]? Deciding { get; }

    /// <param name="listener">Whose filters all routes have; where no route takes a request, its default cluster does, or 404 is the answer.</param>
    /// <exception cref="ArgumentException">The table is not valid (<see cref="ConfigValidator"/> says so before).</exception>
    public static RouteTable Compile(RouteTableConfig table, ListenerConfig listener, FilterFactory factory)
    {
        var common = factory.Create(listener.Filters, $"listener/{listener.Name}");
        var domains = new List<(string, HostRoutes)>();
        foreach (var host in table.Hosts)
        {
            var own = factory.Create(host.Filters, $"{listener.Name}/{table.Name}/{host.Name}");
            var rules = new List<RouteRule>();
            foreach (var config in host.Routes)
            {
                var filters = factory.Create(config.Filters, $"{listener.Name}/{table.Name}/{host.Name}/{config.Name}");
                var route = new Route(config, host.Name, config.OwnFiltersOnly ? filters : [.. common, .. own, .. filters]);
                foreach (var match in config.Matches.IsEmpty ? [RouteMatch.Any] : config.Matches)
                    rules.Add(new(rules.Count, route, match));
            }

            var routes = new HostRoutes(host.Name, rules);
            foreach (var domain in host.Domains)
                domains.Add((domain, routes));
        }

        var asksClaims = table.Hosts.Any(host => host.Routes.Any(route => route.Matches.Any(match => !match.Claims.IsEmpty)));
        return new(new(domains), new Route(Otherwise(listener), "", common), asksClaims && common.Length > 0 ? common : null);
    }

    /// <summary>Never without an answer: where nothing fits, the route of the listener itself.</summary>
    public RouteFound Find(RequestFacts facts)
    {
        var rule = _hosts.Find(facts)?.Find(facts);
        return rule is null ? new(_otherwise, 0) : new(rule.Route, rule.PrefixLength);
    }

    /// <summary>Whose routes are asked; null: no host's.</summary>
    public HostRoutes? HostOf(RequestFacts facts) => _hosts.Find(facts);

    private static RouteConfig Otherwise(ListenerConfig listener) => new()
    {
        Name = "no-route",
        Action = listener.DefaultCluster is { } cluster ? new ForwardAction { Clusters = [new() { Cluster = cluster }] } : DirectResponse.NotFound,
    };
}
