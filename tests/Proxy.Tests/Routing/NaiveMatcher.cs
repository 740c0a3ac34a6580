using System.Text.RegularExpressions;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Tests.Routing;

/// <summary>A request for <see cref="NaiveMatcher"/>, its path and host in the normal form already.</summary>
internal sealed record PlainRequest(string Method, string Host, int Port, string Path, string Query, IReadOnlyList<(string Name, string Value)> Headers);

/// <summary>What the match table must find, said as plainly as possible: the host by rank of its domains, then each rule of the list in turn, on texts.</summary>
internal static class NaiveMatcher
{
    public static string? Find(RouteTableConfig table, PlainRequest request)
    {
        var host = table.Hosts
            .SelectMany(h => h.Domains.Select(d => (Host: h, Rank: Rank(d, request))))
            .Where(x => x.Rank >= 0).OrderByDescending(x => x.Rank).Select(x => x.Host).FirstOrDefault();
        return host?.Routes.FirstOrDefault(r => r.Matches.IsEmpty || r.Matches.Any(m => Takes(m, request)))?.Name;
    }

    private static int Rank(string domain, PlainRequest request)
    {
        var parts = domain.Split(':');
        if (parts.Length == 2 && int.Parse(parts[1]) != (request.Port == 0 ? 80 : request.Port))
            return -1;
        var name = parts[0];
        var fits = name == "*" || (name.StartsWith('*') ? request.Host.Length > name.Length - 1 && request.Host.EndsWith(name[1..], StringComparison.Ordinal) : request.Host == name);
        if (!fits)
            return -1;
        // Exact names before wildcards, exact ones with a port first of all; wildcards by length, with the port first.
        return ((name.StartsWith('*') ? 0 : 100_000) + name.Length) * 2 + (parts.Length - 1);
    }

    private static bool Takes(RouteMatch match, PlainRequest request)
        => (match.Path is null || TakesPath(match.Path, request.Path))
            && (match.Methods.IsEmpty || match.Methods.Contains(request.Method))
            && match.Headers.All(h => Named(h, request.Headers.Where(x => x.Name.Equals(h.Name, StringComparison.OrdinalIgnoreCase)).Select(x => x.Value).ToList()))
            && match.Query.All(q => Named(q, request.Query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=')).Where(p => p[0] == q.Name).Select(p => p.ElementAtOrDefault(1) ?? "").ToList()));

    private static bool TakesPath(PathMatch match, string path)
    {
        var comparison = match.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        var options = match.IgnoreCase ? RegexOptions.IgnoreCase : RegexOptions.None;
        return match.Kind switch
        {
            PathMatchKind.Exact => path.Equals(match.Value, comparison),
            PathMatchKind.TextPrefix => path.StartsWith(match.Value, comparison),
            PathMatchKind.Prefix => (path + "/").StartsWith(match.Value.TrimEnd('/') + "/", comparison),
            PathMatchKind.Regex => Regex.IsMatch(path, $"^(?:{match.Value})$", options, TimeSpan.FromSeconds(5)),
            _ => Regex.IsMatch(path, "^" + string.Join('/', match.Value.Split('/').Select(Segment)) + "$", options, TimeSpan.FromSeconds(5)),
        };
    }

    private static string Segment(string segment) => segment switch
    {
        "{*}" or "{id}" => "[^/]+",
        "{**}" => ".*",
        _ => Regex.Escape(segment),
    };

    private static bool Named(NamedMatch match, IReadOnlyList<string> values)
        => (match.Value is null ? values.Count > 0 : values.Any(v => Text(match.Value, v)) || (values.Count > 1 && Text(match.Value, string.Join(',', values)))) != match.Invert;

    private static bool Text(StringMatch match, string value)
    {
        var comparison = match.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return match.Kind switch
        {
            TextMatch.Exact => value.Equals(match.Value, comparison),
            TextMatch.Prefix => value.StartsWith(match.Value, comparison),
            TextMatch.Suffix => value.EndsWith(match.Value, comparison),
            TextMatch.Contains => value.Contains(match.Value, comparison),
            _ => Regex.IsMatch(value, $"^(?:{match.Value})$", match.IgnoreCase ? RegexOptions.IgnoreCase : RegexOptions.None, TimeSpan.FromSeconds(5)),
        };
    }
}
