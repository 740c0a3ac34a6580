using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing;
using Weft.Proxy.Routing.Table;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>Asks the table of routes as a request does, and each rule before the one that takes it why it does not.</summary>
internal static class RouteTrace
{
    // A table may have thousands of rules; whoever reads wants those that were near.
    private const int Shown = 12;

    public static RouteTable Compile(RouteTableConfig table, ListenerConfig listener)
    {
        // What filters do is told from their records; made here they would need keys and sockets.
        var bare = table with { Hosts = table.Hosts.Select(host => host with { Filters = [], Routes = host.Routes.Select(route => route with { Filters = [] }).ToValueList() }).ToValueList() };
        return RouteTable.Compile(bare, listener with { Filters = [] }, new FilterFactory(FilterKinds.WithoutServices));
    }

    /// <summary>A line for each rule that was before the one that takes the request, and why it does not.</summary>
    public static IEnumerable<string> Passed(HostRoutes? host, Route chosen, RequestFacts facts)
    {
        var before = host?.Rules.TakeWhile(rule => rule.Route != chosen).ToList() ?? [];
        foreach (var rule in before.Take(Shown))
            yield return $"not {rule.Route.Name}{Numbered(rule, before)}: {Reason(rule, facts)}";
        if (before.Count > Shown)
            yield return $"nor {before.Count - Shown} more rules before it";
    }

    /// <summary>The match of the chosen route that takes the request.</summary>
    public static string Taken(HostRoutes? host, Route chosen, RequestFacts facts)
    {
        var rules = host?.Rules.Where(rule => rule.Route == chosen).ToList() ?? [];
        var at = rules.FindIndex(rule => Holds(rule.Route, rule.Match, facts));
        return at < 0 || rules[at].Match == RouteMatch.Any ? "it takes every request that came this far" : $"match[{at}]: {RouteTexts.Of(rules[at].Match)}";
    }

    private static string Numbered(RouteRule rule, List<RouteRule> all)
    {
        var own = all.FindAll(other => other.Route == rule.Route);
        return own.Count > 1 ? $" match[{own.IndexOf(rule)}]" : "";
    }

    // Each condition by itself, through the code that asks all of them.
    private static string Reason(RouteRule rule, RequestFacts facts)
    {
        var (match, any) = (rule.Match, RouteMatch.Any);
        var parts = new List<(RouteMatch Alone, string Wanted)>();
        if (match.Source != SourceMatch.Any)
            parts.Add((any with { Source = match.Source }, $"the client is not {RouteTexts.Of(match.Source)}"));
        if (match.Path is { } path)
            parts.Add((any with { Path = path }, $"the path is not {RouteTexts.Of(path)}"));
        if (!match.Methods.IsEmpty)
            parts.Add((any with { Methods = match.Methods }, $"the method is not {string.Join(" or ", match.Methods)}"));
        foreach (var header in match.Headers)
            parts.Add((any with { Headers = [header] }, $"header {RouteTexts.Unmet(header)}"));
        foreach (var query in match.Query)
            parts.Add((any with { Query = [query] }, $"query parameter {RouteTexts.Unmet(query)}"));
        foreach (var claim in match.Claims)
            parts.Add((any with { Claims = [claim] }, $"claim {RouteTexts.Unmet(claim)}"));
        if (match.Authority is { } authority)
            parts.Add((any with { Authority = authority }, $"the authority is not {RouteTexts.Of(authority)}"));
        if (match.Scheme is { } scheme)
            parts.Add((any with { Scheme = scheme }, $"the scheme is not {RouteTexts.Of(scheme)}"));
        if (!match.Ports.IsEmpty)
            parts.Add((any with { Ports = match.Ports }, $"the port is not {string.Join(" or ", match.Ports)}"));
        if (!match.ServerNames.IsEmpty)
            parts.Add((any with { ServerNames = match.ServerNames }, $"the TLS server name is not {string.Join(" or ", match.ServerNames)}"));
        var unmet = parts.Where(part => !Holds(rule.Route, part.Alone, facts)).Select(part => part.Wanted).ToList();
        return unmet.Count == 0 ? "a rule before it took the request" : string.Join(", and ", unmet);
    }

    private static bool Holds(Route route, RouteMatch match, RequestFacts facts) => new HostRoutes("", [new RouteRule(0, route, match)]).Find(facts) is not null;
}
