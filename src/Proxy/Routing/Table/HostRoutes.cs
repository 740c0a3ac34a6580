using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Routing.Table;

/// <summary>
/// The rules of one virtual host. The first of the list that takes a request decides, whatever kind of path it has: each index lowers the number of the best rule so far,
/// and asks only rules that come before it.
/// </summary>
internal sealed class HostRoutes
{
    private readonly RouteRule[] _rules;
    private readonly PathIndex? _exactCase;
    private readonly PathIndex? _ignoreCase;
    private readonly int[] _anyPath;
    private readonly int[] _regexes;

    public HostRoutes(string name, IReadOnlyList<RouteRule> rules)
    {
        Name = name;
        _rules = [.. rules];
        AsksClaims = _rules.Any(rule => !rule.Match.Claims.IsEmpty);
        _exactCase = PathIndex.Of(_rules.Where(r => r.Match.Path is { IgnoreCase: false }));
        _ignoreCase = PathIndex.Of(_rules.Where(r => r.Match.Path is { IgnoreCase: true }));
        _anyPath = [.. _rules.Where(r => r.Match.Path is null).Select(r => r.Order)];
        _regexes = [.. _rules.Where(r => r.Match.Path?.Kind == PathMatchKind.Regex && r.Key.Length == 0).Select(r => r.Order)];
    }

    public string Name { get; }

    /// <summary>A rule asks what a token says.</summary>
    public bool AsksClaims { get; }

    /// <summary>In the order in which they stand.</summary>
    public IReadOnlyList<RouteRule> Rules => _rules;

    /// <summary>Null: none takes it.</summary>
    public RouteRule? Find(RequestFacts facts)
    {
        var best = int.MaxValue;
        _exactCase?.Find(this, facts.Path.Path, facts, ref best);
        _ignoreCase?.Find(this, facts.Path.LowerPath, facts, ref best);
        FirstOf(_anyPath, facts, ref best);
        // Expressions that may begin with anything, last, for they cost the most.
        FirstOf(_regexes, facts, ref best);
        return best == int.MaxValue ? null : _rules[best];
    }

    /// <summary>Whether the rule's other conditions hold, and its expression.</summary>
    internal bool Takes(int order, RequestFacts facts) => _rules[order].Accepts(facts);

    /// <param name="orders">Ascending.</param>
    internal void FirstOf(int[] orders, RequestFacts facts, ref int best)
    {
        foreach (var order in orders)
        {
            if (order >= best)
                return;
            if (Takes(order, facts))
            {
                best = order;
                return;
            }
        }
    }
}
