using System.Text.RegularExpressions;
using Weft.Api.Networking;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>Paths of Ingresses, and which of two goes first.</summary>
internal static class IngressPaths
{
    /// <summary>Null: it is none, which is reported.</summary>
    public static PathMatch? Read(HTTPIngressPath path, IngressSettings settings, string field)
    {
        var text = string.IsNullOrEmpty(path.Path) ? "/" : path.Path;
        if (!text.StartsWith('/') || text.Any(char.IsControl))
        {
            settings.Problems.Error($"{field}.path", $"'{text}' is no path; it begins with '/'");
            return null;
        }

        if (settings.IsRegex && path.PathType != "Exact")
        {
            // nginx' location ~* "^...": from the beginning, in any case, and what follows does not matter.
            return Patterns.IsLinear(text, $"{field}.path", settings.Problems) ? new(PathMatchKind.Regex, $"(?:{text}).*", IgnoreCase: true) : null;
        }

        if (text.AsSpan().IndexOfAny("?#\\") >= 0)
        {
            settings.Problems.Error($"{field}.path", $"'{text}' can be no path; it has no query");
            return null;
        }

        switch (path.PathType)
        {
            case "Exact":
                return new(PathMatchKind.Exact, text);
            // Old manifests of other controllers: /shop/* is what is below /shop.
            case "ImplementationSpecific" or null when text.EndsWith("/*", StringComparison.Ordinal):
                return new(PathMatchKind.Prefix, text.Length > 2 ? text[..^2] : "/");
            case "Prefix" or "ImplementationSpecific" or null:
                return new(PathMatchKind.Prefix, text.Length > 1 ? text.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : "/" : text);
            default:
                settings.Problems.Error($"{field}.pathType", $"'{path.PathType}' is none of Exact, Prefix and ImplementationSpecific");
                return null;
        }
    }

    /// <summary>The longest first, of the same length Exact before Prefix before expressions (Kubernetes: "multiple matches").</summary>
    public static (int, int) Order(PathMatch path) => (-path.Value.Length, path.Kind switch { PathMatchKind.Exact => 0, PathMatchKind.Prefix => 1, _ => 2 });

    /// <summary>What the service sees of it: the whole path is another, as in ingress-nginx.</summary>
    public static Rewrite Rewrite(Rewrite rewrite, PathMatch path, string? target)
    {
        if (target is null)
            return rewrite;
        // An expression that matched is put in its own place, so that its groups are there.
        return path.Kind == PathMatchKind.Regex
            ? rewrite with { Regex = new($"(?i)^{path.Value}$", target) }
            : rewrite with { Path = WithoutGroups(target) };
    }

    private static string WithoutGroups(string target) => Regex.Replace(target, @"\\(.)", match => char.IsAsciiDigit(match.Groups[1].Value[0]) ? "" : match.Groups[1].Value) is { Length: > 0 } path && path.StartsWith('/') ? path : "/";
}
