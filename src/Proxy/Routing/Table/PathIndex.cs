using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Routing.Table;

/// <summary>The rules of a host by exact path, prefix, literal start of an expression, and template.</summary>
internal sealed class PathIndex
{
    private readonly ByteKeyTable<int[]>? _exact;
    private readonly PrefixTrie? _prefixes;
    private readonly TemplateTrie? _templates;

    private PathIndex(IReadOnlyList<RouteRule> rules)
    {
        var exact = rules.Where(r => r.Match.Path!.Kind == PathMatchKind.Exact).GroupBy(r => r.Key, StringComparer.Ordinal).ToList();
        var prefixes = rules.Where(r => r.Match.Path!.Kind is PathMatchKind.Prefix or PathMatchKind.TextPrefix or PathMatchKind.Regex).ToList();
        var templates = rules.Where(r => r.Template is not null).ToList();
        _exact = exact.Count == 0 ? null : new(exact.Select(g => KeyValuePair.Create(g.Key, g.Select(r => r.Order).Order().ToArray())));
        _prefixes = prefixes.Count == 0 ? null : new(prefixes.Select(r => (r.Key, r.Match.Path!.Kind == PathMatchKind.Prefix, r.Order)));
        _templates = templates.Count == 0 ? null : new(templates.Select(r => (r.Template!, r.Order)));
    }

    /// <summary>Null: no rule needs it.</summary>
    public static PathIndex? Of(IEnumerable<RouteRule> rules)
    {
        var indexed = rules.Where(r => r.Regex is null || r.Key.Length > 0).ToList();
        return indexed.Count == 0 ? null : new(indexed);
    }

    public void Find(HostRoutes routes, ReadOnlySpan<byte> path, RequestFacts facts, ref int best)
    {
        if (_exact is not null && _exact.TryGet(path, out var orders))
            routes.FirstOf(orders, facts, ref best);
        _prefixes?.Find(routes, path, facts, ref best);
        _templates?.Find(routes, path, facts, ref best);
    }
}
