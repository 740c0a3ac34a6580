using Weft.Balancing;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Routing.Table;

/// <summary>Rules with path templates: a trie of segments, whose literal children are found by hash and whose wildcard is one more child.</summary>
internal sealed class TemplateTrie
{
    private readonly List<Node> _nodes = [new()];
    private readonly Dictionary<(int Parent, ulong Hash), List<(byte[] Segment, int Child)>> _children = [];

    public TemplateTrie(IEnumerable<(PathTemplate Template, int Order)> rules)
    {
        // By order, so that each list is sorted as it grows.
        foreach (var (template, order) in rules.OrderBy(r => r.Order))
            Add(template, order);
    }

    public void Find(HostRoutes routes, ReadOnlySpan<byte> path, RequestFacts facts, ref int best)
    {
        // A path of "*" or of no length has no segments.
        if (!path.IsEmpty && path[0] == '/')
            Find(0, routes, path, facts, ref best);
    }

    // path: what is left, from a slash on; empty when all of it is taken.
    private void Find(int number, HostRoutes routes, ReadOnlySpan<byte> path, RequestFacts facts, ref int best)
    {
        var node = _nodes[number];
        if (node.Least >= best)
            return;
        if (path.IsEmpty)
        {
            routes.FirstOf(node.Rules, facts, ref best);
            return;
        }

        var rest = path[1..];
        foreach (var (suffix, order) in node.Rest)
        {
            if (order >= best)
                break;
            if (rest.EndsWith(suffix) && routes.Takes(order, facts))
                best = order;
        }

        var end = rest.IndexOf((byte)'/');
        var segment = end < 0 ? rest : rest[..end];
        var after = rest[segment.Length..];
        if (Child(number, segment) is var literal and >= 0)
            Find(literal, routes, after, facts, ref best);
        if (node.One >= 0 && !segment.IsEmpty)
            Find(node.One, routes, after, facts, ref best);
    }

    private int Child(int parent, ReadOnlySpan<byte> segment)
    {
        if (_children.TryGetValue((parent, StableHash.Of(segment)), out var candidates))
        {
            foreach (var (text, child) in candidates)
            {
                if (segment.SequenceEqual(text))
                    return child;
            }
        }

        return -1;
    }

    private void Add(PathTemplate template, int order)
    {
        var at = 0;
        _nodes[at].Least = Math.Min(_nodes[at].Least, order);
        foreach (var segment in template.Segments)
        {
            if (segment.Kind == TemplateSegmentKind.Rest)
            {
                _nodes[at].Rest.Add((template.RestSuffix(), order));
                return;
            }

            at = segment.Kind == TemplateSegmentKind.One ? One(at) : Literal(at, segment.Text);
            _nodes[at].Least = Math.Min(_nodes[at].Least, order);
        }

        _nodes[at].Rules = [.. _nodes[at].Rules, order];
    }

    private int One(int parent)
    {
        if (_nodes[parent].One < 0)
            _nodes[parent].One = New();
        return _nodes[parent].One;
    }

    private int Literal(int parent, byte[] segment)
    {
        var known = Child(parent, segment);
        if (known >= 0)
            return known;
        var key = (parent, StableHash.Of(segment));
        if (!_children.TryGetValue(key, out var candidates))
            _children[key] = candidates = [];
        candidates.Add((segment, New()));
        return candidates[^1].Child;
    }

    private int New()
    {
        _nodes.Add(new());
        return _nodes.Count - 1;
    }

    private sealed class Node
    {
        public int One { get; set; } = -1;

        public int[] Rules { get; set; } = [];

        public List<(byte[] Suffix, int Order)> Rest { get; } = [];

        /// <summary>The first rule here or below.</summary>
        public int Least { get; set; } = int.MaxValue;
    }
}
