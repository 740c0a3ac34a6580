using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Actions;
using Weft.Proxy.Routing.Matching;
using Weft.Proxy.Routing.Table;

namespace Weft.Proxy.Configuration.Validation;

internal static class RouteValidator
{
    public static void Validate(RouteTableConfig table, string path, KnownNames known, ConfigErrors errors)
    {
        errors.Name(table.Name, $"{path}.name");
        var domains = table.Hosts.SelectMany((h, i) => h.Domains.Select((d, j) => (Domain: d, Path: $"{path}.hosts[{i}].domains[{j}]"))).ToList();
        errors.Unique(domains, d => HostIndex.Canonical(d.Domain), i => domains[i].Path, "domain");
        var routes = table.Hosts.SelectMany((h, i) => h.Routes.Select((r, j) => (r.Name, Path: $"{path}.hosts[{i}].routes[{j}].name"))).ToList();
        errors.Unique(routes, r => r.Name, i => routes[i].Path, "route");
        foreach (var (i, host) in table.Hosts.Index())
        {
            var at = $"{path}.hosts[{i}]";
            errors.Require(!host.Domains.IsEmpty, $"{at}.domains", "is missing; `*` is for all hosts");
            foreach (var (j, domain) in host.Domains.Index())
                errors.Require(IsDomain(WithoutPort(domain)), $"{at}.domains[{j}]", $"'{domain}' is neither a name, nor *.name, nor *, with or without a port");
            foreach (var (j, filter) in host.Filters.Index())
                FilterValidator.Validate(filter, $"{at}.filters[{j}]", known, errors);
            foreach (var (j, route) in host.Routes.Index())
                Route(route, $"{at}.routes[{j}]", known, errors);
        }
    }

    internal static bool IsDomain(string domain)
    {
        if (domain == "*")
            return true;
        var name = domain.StartsWith("*.", StringComparison.Ordinal) ? domain[2..] : domain;
        return new Routing.RequestHost().TrySet(System.Text.Encoding.UTF8.GetBytes(name));
    }

    internal static void Clusters(ValueList<WeightedCluster> clusters, string path, KnownNames known, ConfigErrors errors)
    {
        errors.Require(clusters.Any(c => c.Weight > 0), path, "no cluster to send to; one needs a weight above 0");
        foreach (var (i, cluster) in clusters.Index())
        {
            known.Cluster(cluster.Cluster, cluster.Subset, $"{path}[{i}]", errors);
            errors.AtLeast(cluster.Weight, 0, $"{path}[{i}].weight");
            FilterValidator.Edits(cluster.RequestHeaders, $"{path}[{i}].requestHeaders", errors);
            FilterValidator.Edits(cluster.ResponseHeaders, $"{path}[{i}].responseHeaders", errors);
        }
    }

    internal static void Source(SourceMatch source, string path, ConfigErrors errors) => errors.Compiles(() => SourceMatcher.Of(source), path);

    private static string WithoutPort(string domain)
    {
        var colon = domain.LastIndexOf(':');
        return colon > domain.LastIndexOf(']') && int.TryParse(domain.AsSpan(colon + 1), out var port) && port is > 0 and < 65_536 ? domain[..colon] : domain;
    }

    private static void Route(RouteConfig route, string path, KnownNames known, ConfigErrors errors)
    {
        errors.Name(route.Name, $"{path}.name");
        foreach (var (i, match) in route.Matches.Index())
            Match(match, $"{path}.matches[{i}]", errors);
        foreach (var (i, filter) in route.Filters.Index())
            FilterValidator.Validate(filter, $"{path}.filters[{i}]", known, errors);
        switch (route.Action)
        {
            case ForwardAction forward:
                Forward(forward, $"{path}.action", known, errors);
                break;
            case RedirectAction redirect:
                errors.Require(redirect.Status is 301 or 302 or 303 or 307 or 308, $"{path}.action.status", $"{redirect.Status} is no redirect; 301, 302, 303, 307 or 308");
                errors.Require(redirect.Scheme is null or "http" or "https", $"{path}.action.scheme", "is http or https");
                errors.Require(redirect.Host is null || IsDomain(redirect.Host) && !redirect.Host.StartsWith('*'), $"{path}.action.host", $"'{redirect.Host}' is no host");
                errors.Require(new object?[] { redirect.Path, redirect.Prefix, redirect.Regex }.Count(p => p is not null) <= 1, $"{path}.action", "has one of path, prefix, regex at most");
                errors.Require(redirect != new RedirectAction { Status = redirect.Status }, $"{path}.action", "leads to where it comes from");
                errors.Require(redirect.Path is null || !redirect.Path.Any(c => c <= ' ' || c > '~'), $"{path}.action.path", "has characters that no address has; escape them");
                errors.Compiles(() => _ = new RedirectPlan(redirect), $"{path}.action");
                break;
            case DirectResponse direct:
                errors.Require(direct.Status is >= 200 and <= 599, $"{path}.action.status", $"{direct.Status} is no final status; 200 to 599");
                errors.Require(FilterValidator.IsValue(direct.ContentType), $"{path}.action.contentType", "has characters that a field cannot have");
                break;
        }
    }

    private static void Match(RouteMatch match, string path, ConfigErrors errors)
    {
        errors.Compiles(() => _ = new RouteRule(0, null!, match with { Headers = [], Query = [], Claims = [], Source = SourceMatch.Any, Authority = null, Scheme = null }), $"{path}.path");
        Source(match.Source, $"{path}.source", errors);
        foreach (var (i, header) in match.Headers.Index())
            errors.Compiles(() => _ = new NamedMatcher(header), $"{path}.headers[{i}]");
        foreach (var (i, parameter) in match.Query.Index())
            errors.Compiles(() => _ = new NamedMatcher(parameter), $"{path}.query[{i}]");
        foreach (var (i, claim) in match.Claims.Index())
        {
            errors.Require(!claim.Path.IsEmpty && !claim.Path.Contains(""), $"{path}.claims[{i}].path", "names no claim");
            errors.Compiles(() => _ = new ClaimMatcher(claim), $"{path}.claims[{i}]");
        }

        foreach (var text in new[] { match.Authority, match.Scheme })
            errors.Compiles(() => _ = text is null ? null : new TextMatcher(text), $"{path}.authority");
        foreach (var (i, method) in match.Methods.Index())
            errors.Require(FilterValidator.IsToken(method), $"{path}.methods[{i}]", $"'{method}' is no method");
        foreach (var (i, port) in match.Ports.Index())
            errors.Port(port, $"{path}.ports[{i}]");
    }

    private static void Forward(ForwardAction forward, string path, KnownNames known, ConfigErrors errors)
    {
        Clusters(forward.Clusters, $"{path}.clusters", known, errors);
        errors.NotNegative(forward.Timeout, $"{path}.timeout");
        errors.NotNegative(forward.IdleTimeout ?? TimeSpan.Zero, $"{path}.idleTimeout");
        errors.AtLeast(forward.MaxRequestBytes ?? 0, 0, $"{path}.maxRequestBytes");
        errors.AtLeast(forward.MaxResponseBytes, 0, $"{path}.maxResponseBytes");
        foreach (var (i, mirror) in forward.Mirrors.Index())
        {
            known.Cluster(mirror.Cluster, mirror.Subset, $"{path}.mirrors[{i}]", errors);
            errors.Fraction(mirror.Fraction, $"{path}.mirrors[{i}].fraction");
        }

        var retry = forward.Retry;
        // Each attempt is another request for an endpoint that has trouble: more of them help nobody.
        errors.Require(retry.Attempts is >= 0 and <= 10, $"{path}.retry.attempts", $"is {retry.Attempts}; 0 to 10");
        errors.Require(!retry.On.HasFlag(RetryOn.StatusCodes) || !retry.StatusCodes.IsEmpty, $"{path}.retry.statusCodes", "is missing");
        errors.NotNegative(retry.PerTryTimeout, $"{path}.retry.perTryTimeout");
        errors.Require(retry.BaseBackoff >= TimeSpan.Zero && retry.MaxBackoff >= retry.BaseBackoff, $"{path}.retry.maxBackoff", "must not be below baseBackoff");
        errors.AtLeast(retry.MaxBodyBytes, 0, $"{path}.retry.maxBodyBytes");
        var rewrite = forward.Rewrite;
        errors.Require(new object?[] { rewrite.Path, rewrite.Prefix, rewrite.Regex }.Count(p => p is not null) <= 1, $"{path}.rewrite", "has one of path, prefix, regex at most");
        errors.Require(rewrite.Host is null || IsDomain(WithoutPort(rewrite.Host)) && !rewrite.Host.StartsWith('*'), $"{path}.rewrite.host", $"'{rewrite.Host}' is no host");
        errors.Compiles(() => _ = new RewritePlan(rewrite), $"{path}.rewrite");
    }
}
