using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Routes;

/// <summary>
/// Rules of virtual services. A rule whose conditions are wrong is left out; one whose action is wrong answers 500 to the requests that are its own: they are not to go
/// where another rule would send them.
/// </summary>
internal static partial class HttpRuleReader
{
    private static readonly DirectResponse Invalid = new() { Status = 500, Body = "the rule for this request is not valid\n" };

    /// <param name="gateways">Of the virtual service whose hosts the rule is for: of a delegate those of its root.</param>
    /// <returns>Null: nothing is left of it.</returns>
    public static HttpRule? Read(Istio.VirtualService owner, Istio.HTTPRoute route, string field, string name, IReadOnlyList<string> gateways, Problems problems)
    {
        var matches = route.Match.Select((match, i) => HttpMatchReader.Read(match, $"{field}.match[{i}]", gateways, owner.Metadata.Namespace ?? "", problems)).OfType<HttpMatch>().ToImmutableArray();
        if (route.Match.Count == 0)
            matches = [new(RouteMatch.Any, null, gateways)];
        var before = problems.Errors;
        var filters = HttpFilterReader.Read(route, field, problems);
        var rule = Action(new(owner, name, matches, Invalid, filters), route, field, problems);
        if (matches.IsEmpty)
            return null;
        return problems.Errors == before ? rule : new(owner, name, matches, Invalid, []);
    }

    private static HttpRule Action(HttpRule rule, Istio.HTTPRoute route, string field, Problems problems)
    {
        var kinds = new (string Name, bool Is)[] { ("route", route.Route.Count > 0), ("redirect", route.Redirect is not null), ("directResponse", route.DirectResponse is not null) };
        if (kinds.Count(kind => kind.Is) != 1)
            problems.Error(field, kinds.Any(kind => kind.Is) ? $"has {string.Join(" and ", kinds.Where(kind => kind.Is).Select(kind => kind.Name))}; keep one" : "needs one of route, redirect, directResponse and delegate");
        if (route.Redirect is { } redirect)
        {
            foreach (var (name, isThere) in new[] { ("rewrite", route.Rewrite is not null), ("timeout", route.Timeout is not null), ("retries", route.Retries is not null) })
                problems.UnsupportedIf(isThere, $"{field}.{name}", "has no effect on a redirect; leave it out");
            return rule with { Action = Redirect(redirect, $"{field}.redirect", problems) };
        }

        if (route.DirectResponse is { } direct)
            return rule with { Action = Direct(direct, $"{field}.directResponse", problems) };
        return Forward(rule, route, field, problems);
    }

    private static HttpRule Forward(HttpRule rule, Istio.HTTPRoute route, string field, Problems problems)
    {
        var rewrite = Rewriting(route.Rewrite, $"{field}.rewrite", problems);
        var targets = route.Route.Select((target, i) => Target(target, $"{field}.route[{i}]", alone: route.Route.Count == 1, problems)).ToImmutableArray();
        if (targets.Length > 0 && targets.All(target => target.Share.Weight == 0))
            problems.Error($"{field}.route", "no destination has a weight above 0");
        return rule with
        {
            Action = new ForwardAction
            {
                Timeout = Durations.Read(route.Timeout, $"{field}.timeout", problems) ?? TimeSpan.Zero,
                Retry = RetryReader.Read(route.Retries, $"{field}.retries", problems),
                Rewrite = rewrite,
            },
            Targets = targets,
            Mirrors = [.. Mirrors(route, field, problems)],
            RewriteUri = route.Rewrite?.Uri,
        };
    }

    private static RouteTarget Target(Istio.HTTPRouteDestination target, string field, bool alone, Problems problems)
    {
        if (target.Weight < 0)
            problems.Error($"{field}.weight", $"{target.Weight} is no weight; 0 or more");
        return new(target.Destination, $"{field}.destination", new()
        {
            // Istio: a destination without weight has none beside others.
            Weight = Math.Max(0, alone ? 1 : target.Weight ?? 0),
            RequestHeaders = HeaderTexts.Edits(target.Headers?.Request, $"{field}.headers.request", problems),
            ResponseHeaders = HeaderTexts.Edits(target.Headers?.Response, $"{field}.headers.response", problems),
        });
    }

    private static IEnumerable<MirrorTarget> Mirrors(Istio.HTTPRoute route, string field, Problems problems)
    {
        if (route.Mirror is not null && route.Mirrors.Count > 0)
            problems.Error($"{field}.mirrors", "stands beside mirror; keep one of both");
        if (route.Mirror is { } mirror)
        {
            var fraction = HttpFilterReader.Fraction(route.MirrorPercentage, route.MirrorPercent, $"{field}.mirrorPercentage", problems) ?? 1;
            if (fraction > 0)
                yield return new(mirror, $"{field}.mirror", fraction);
        }

        foreach (var (i, policy) in route.Mirrors.Index())
        {
            var fraction = HttpFilterReader.Fraction(policy.Percentage, null, $"{field}.mirrors[{i}].percentage", problems) ?? 1;
            if (fraction > 0)
                yield return new(policy.Destination, $"{field}.mirrors[{i}].destination", fraction);
        }
    }

    private static Rewrite Rewriting(Istio.HTTPRewrite? rewrite, string field, Problems problems)
    {
        if (rewrite is null)
            return Rewrite.None;
        var regex = rewrite.UriRegexRewrite is { } modern ? new RegexRewrite(modern.Match ?? "", modern.Rewrite ?? "") : null;
        if (rewrite.Regex is not null || rewrite.Replacement is not null)
        {
            problems.Warn($"{field}.regex", "is an old form; write uriRegexRewrite with match and rewrite, and \\1 for $1");
            regex ??= new RegexRewrite(rewrite.Regex ?? "", DollarGroups().Replace((rewrite.Replacement ?? "").Replace("\\", "\\\\", StringComparison.Ordinal), "\\$1"));
        }

        if (regex is not null)
            Patterns.IsLinear(regex.Pattern, rewrite.UriRegexRewrite is null ? $"{field}.regex" : $"{field}.uriRegexRewrite.match", problems);
        if (regex is { Pattern.Length: 0 })
            problems.Error($"{field}.uriRegexRewrite.match", "is missing");
        if (regex is not null && rewrite.Uri is not null)
            problems.Error(field, "has uri and uriRegexRewrite; keep one");
        if (rewrite.Uri is { } uri && (!uri.StartsWith('/') || uri.AsSpan().IndexOfAny("?#\\") >= 0 || uri.Any(char.IsControl)))
            problems.Error($"{field}.uri", $"'{uri}' is no path; it begins with '/' and has no query");
        if (regex?.Substitution.Contains('?') == true)
            problems.Error(rewrite.UriRegexRewrite is null ? $"{field}.replacement" : $"{field}.uriRegexRewrite.rewrite", "has a '?', and only the path is rewritten; the query stays as it is");
        if (rewrite.Authority is { } host && !IsAuthority(host))
            problems.Error($"{field}.authority", $"'{host}' is no host");
        return new() { Host = rewrite.Authority, Regex = regex };
    }

    private static RouteAction Redirect(Istio.HTTPRedirect redirect, string field, Problems problems)
    {
        if (redirect.Uri is { } uri && (!uri.StartsWith('/') || uri.Any(c => c <= ' ' || c > '~')))
            problems.Error($"{field}.uri", $"'{uri}' is no path; it begins with '/', and other characters than ASCII are escaped");
        if (redirect.RedirectCode is not (null or 301 or 302 or 303 or 307 or 308))
            problems.Error($"{field}.redirectCode", $"{redirect.RedirectCode} is no redirect; 301, 302, 303, 307 or 308");
        if (redirect.Scheme is not (null or "http" or "https"))
            problems.Error($"{field}.scheme", $"'{redirect.Scheme}' is neither http nor https");
        if (redirect.Port is <= 0 or > 65_535)
            problems.Error($"{field}.port", $"{redirect.Port} is no port; 1 to 65535");
        if (redirect.Authority is { } authority && !IsAuthority(authority))
            problems.Error($"{field}.authority", $"'{authority}' is no host");
        problems.UnsupportedIf(redirect.DerivePort == "FROM_REQUEST_PORT" && (redirect.Scheme ?? redirect.Authority) is not null, $"{field}.derivePort",
            "the port of the request is kept only where neither scheme nor authority change; write port");
        var colon = redirect.Authority?.LastIndexOf(':') ?? -1;
        var action = new RedirectAction
        {
            Scheme = redirect.Scheme, Path = redirect.Uri, Status = redirect.RedirectCode ?? 301,
            Host = colon > 0 ? redirect.Authority![..colon] : redirect.Authority,
            Port = redirect.Port ?? (colon > 0 && int.TryParse(redirect.Authority.AsSpan(colon + 1), out var port) ? port : null),
        };
        if (action == new RedirectAction { Status = action.Status })
            problems.Error(field, "leads to where it comes from; say one of uri, authority, scheme and port");
        return action;
    }

    private static RouteAction Direct(Istio.HTTPDirectResponse direct, string field, Problems problems)
    {
        if (direct.Status is < 200 or > 599)
            problems.Error($"{field}.status", $"{direct.Status} is no final status; 200 to 599");
        var body = direct.Body?.String ?? "";
        if (direct.Body?.Bytes is { } bytes)
        {
            try
            {
                body = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            }
            catch (ArgumentException)
            {
                problems.Unsupported($"{field}.body.bytes", "bodies are text in UTF-8; the answer has none");
            }
        }

        return new DirectResponse { Status = direct.Status, Body = body };
    }

    private static bool IsAuthority(string text)
    {
        var colon = text.LastIndexOf(':');
        var isPort = colon > 0 && int.TryParse(text.AsSpan(colon + 1), out var port) && port is > 0 and < 65_536;
        var host = isPort ? text[..colon] : text;
        return !host.StartsWith('*') && Hosts.HostNames.IsHost(host);
    }

    [GeneratedRegex(@"\$([0-9])")]
    private static partial Regex DollarGroups();
}
