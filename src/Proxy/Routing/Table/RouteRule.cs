using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Routing.Table;

/// <summary>One match of one route: what <see cref="HostRoutes"/> looks for, in the order of its list.</summary>
internal sealed class RouteRule
{
    private readonly RuleConditions? _conditions;

    public RouteRule(int order, Route route, RouteMatch match)
    {
        (Order, Route, Match) = (order, route, match);
        _conditions = RuleConditions.Of(match);
        switch (match.Path)
        {
            case { Kind: PathMatchKind.Regex } path:
                Regex = LinearPattern.Whole(path.Value, path.IgnoreCase);
                Key = LinearRegex.LiteralStart(path.Value);
                Key = path.IgnoreCase ? Key.ToLowerInvariant() : Key;
                break;
            case { Kind: PathMatchKind.Template } path:
                Template = PathTemplate.Parse(path.Value, path.IgnoreCase);
                break;
            case { } path:
                Key = Canonical(path);
                PrefixLength = Encoding.ASCII.GetByteCount(Key);
                break;
        }
    }

    public int Order { get; }

    public Route Route { get; }

    public RouteMatch Match { get; }

    /// <summary>Of exact paths and prefixes, as the index has it; of an expression what all that it takes begins with.</summary>
    public string Key { get; } = "";

    public LinearPattern? Regex { get; }

    public PathTemplate? Template { get; }

    /// <summary>How much of a path that it takes is the matched prefix: what a rewrite of the prefix replaces.</summary>
    public int PrefixLength { get; }

    /// <summary>All but what the index has looked at. An expression comes last, for it costs the most.</summary>
    public bool Accepts(RequestFacts facts) => (_conditions is null || _conditions.Hold(facts)) && (Regex is null || Regex.Matches(facts.Path.Path));

    private static string Canonical(PathMatch path)
    {
        var value = path.Kind == PathMatchKind.TextPrefix ? CanonicalPath.Part(path.Value) : CanonicalPath.Whole(path.Value);
        if (path.Kind == PathMatchKind.Prefix)
            value = value.TrimEnd('/');
        return path.IgnoreCase ? value.ToLowerInvariant() : value;
    }
}
