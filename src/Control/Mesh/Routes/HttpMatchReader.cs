using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Routes;

/// <summary>Conditions of HTTP rules.</summary>
internal static class HttpMatchReader
{
    /// <summary>Null: it has errors, which are reported.</summary>
    public static HttpMatch? Read(Istio.HTTPMatchRequest match, string field, IReadOnlyList<string> gateways, string @namespace, Problems problems)
    {
        var before = problems.Errors;
        var result = new RouteMatch
        {
            Path = match.Uri is { } uri ? Path(uri, match.IgnoreUriCase == true, $"{field}.uri", problems) : null,
            Scheme = Text(match.Scheme, $"{field}.scheme", problems, lowerCase: true),
            Authority = Text(match.Authority, $"{field}.authority", problems, lowerCase: true),
            Methods = match.Method?.Exact is { } method ? [method] : [],
            Headers =
            [
                .. match.Method is { Exact: null } text ? [new NamedMatch(":method", Text(text, $"{field}.method", problems))] : Array.Empty<NamedMatch>(),
                .. Named(match.Headers, $"{field}.headers", problems, isHeader: true),
                .. Named(match.WithoutHeaders, $"{field}.withoutHeaders", problems, isHeader: true).Select(header => header with { Invert = true }),
            ],
            Claims = [.. Claims(match.Headers, $"{field}.headers", problems), .. Claims(match.WithoutHeaders, $"{field}.withoutHeaders", problems).Select(claim => claim with { Invert = true })],
            Query = Named(match.QueryParams, $"{field}.queryParams", problems, isHeader: false).ToValueList(),
            Source = new() { Namespaces = match.SourceNamespace is { Length: > 0 } from ? [from] : [], Labels = new ValueMap(match.SourceLabels) },
        };
        if (match.Method?.Exact is { } name && !HeaderTexts.IsToken(name))
            problems.Error($"{field}.method.exact", $"'{name}' is no method");
        if (match.Port is < 0 or > 65_535)
            problems.Error($"{field}.port", $"{match.Port} is no port; 1 to 65535");
        problems.UnsupportedIf(match.StatPrefix is not null, $"{field}.statPrefix", "own metrics of a route are not made; its requests stand in the standard ones");
        var own = MeshIndex.GatewayNames(match.Gateways, @namespace);
        if (!result.Claims.IsEmpty && (own.Count > 0 ? own : gateways).Contains(RouteJobs.Mesh))
            problems.Warn(field, "asks for claims of tokens, which are known at gateways alone: for clients in the mesh no request has any, so of them headers match none and withoutHeaders all; say gateways without mesh");
        return problems.Errors > before ? null : new(result, match.Port is > 0 ? match.Port : null, own.Count > 0 ? own : gateways);
    }

    private static PathMatch? Path(Istio.StringMatch uri, bool ignoreCase, string field, Problems problems)
    {
        if (Patterns.Read(uri, field, problems) is not { } text)
        {
            problems.Error(field, "has none of exact, prefix and regex; say one, or leave out uri");
            return null;
        }

        if (text.Kind == TextMatch.Exact && (!text.Value.StartsWith('/') || text.Value.AsSpan().IndexOfAny("?#\\") >= 0 || text.Value.Any(char.IsControl)))
            problems.Error($"{field}.exact", $"'{text.Value}' can be no path; it begins with '/' and has no query, which goes to queryParams");
        return text.Kind switch
        {
            TextMatch.Exact => new(PathMatchKind.Exact, text.Value, ignoreCase),
            TextMatch.Prefix => new(PathMatchKind.TextPrefix, text.Value, ignoreCase),
            _ => new(PathMatchKind.Regex, text.Value), // Istio: the case of an expression is its own
        };
    }

    private static StringMatch? Text(Istio.StringMatch? match, string field, Problems problems, bool lowerCase = false)
        => match is null ? null : Patterns.Read(match, field, problems, lowerCase);

    private static IEnumerable<ClaimMatch> Claims(IReadOnlyDictionary<string, Istio.StringMatch> conditions, string field, Problems problems)
    {
        foreach (var (name, condition) in conditions.Where(pair => ClaimNames.Is(pair.Key)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (ClaimNames.Path(name) is { } path)
                yield return new(path.ToValueList(), Patterns.Read(condition, $"{field}.{name}", problems));
            else
                problems.Error($"{field}.{name}", "names no claim; write @request.auth.claims.NAME, or @request.auth.claims[NAME][NAME WITHIN]");
        }
    }

    private static IEnumerable<NamedMatch> Named(IReadOnlyDictionary<string, Istio.StringMatch> conditions, string field, Problems problems, bool isHeader)
    {
        foreach (var (name, condition) in conditions.Where(pair => !isHeader || !ClaimNames.Is(pair.Key)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (isHeader && !HeaderTexts.IsToken(name) && name is not (":authority" or ":method"))
                problems.Error($"{field}.{name}", name.StartsWith(':') ? "is no header field; use uri, scheme, method and authority" : $"'{name}' is no name of a header field");
            yield return new(isHeader ? name.ToLowerInvariant() : name, Patterns.Read(condition, $"{field}.{name}", problems));
        }
    }
}
