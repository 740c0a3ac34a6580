using System.Text;

namespace Weft.Proxy.Routing.Table;

/// <summary>
/// Rules by the beginning of a path: a radix trie in arrays. Walked once along the path, it finds all prefixes; rules of whole segments count only where a segment of the path ends.
/// </summary>
internal sealed class PrefixTrie
{
    private readonly Node[] _nodes;
    private readonly byte[] _labels;
    // First byte of each node's label: the children of a node stand side by side, so that one vectorised search finds the right one.
    private readonly byte[] _firsts;

    /// <param name="rules">With their keys; <c>BySegment</c>: the key must end where a segment does.</param>
    public PrefixTrie(IEnumerable<(string Key, bool BySegment, int Order)> rules)
    {
        var groups = rules.GroupBy(r => r.Key, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        var builder = new Builder([.. groups.Select(g => Encoding.ASCII.GetBytes(g.Key))],
            [.. groups.Select(g => g.Where(r => !r.BySegment).Select(r => r.Order).Order().ToArray())],
            [.. groups.Select(g => g.Where(r => r.BySegment).Select(r => r.Order).Order().ToArray())]);
        (_nodes, _labels, _firsts) = builder.Build();
    }

    /// <summary>Lowers <paramref name="best"/> to the first rule below it that takes the request.</summary>
    public void Find(HostRoutes routes, ReadOnlySpan<byte> path, RequestFacts facts, ref int best)
    {
        if (_nodes.Length == 0)
            return;
        var (at, node) = (0, 0);
        while (true)
        {
            ref readonly var here = ref _nodes[node];
            var label = _labels.AsSpan(here.LabelStart, here.LabelLength);
            // Nothing below can be better than what was found.
            if (here.Least >= best || !path[at..].StartsWith(label))
                return;
            at += label.Length;
            if (here.Text is { } text)
                routes.FirstOf(text, facts, ref best);
            if (here.Segment is { } segment && (at == path.Length || path[at] == '/'))
                routes.FirstOf(segment, facts, ref best);
            if (at == path.Length)
                return;
            var child = _firsts.AsSpan(here.FirstChild, here.Children).IndexOf(path[at]);
            if (child < 0)
                return;
            node = here.FirstChild + child;
        }
    }

    private readonly record struct Node(int LabelStart, int LabelLength, int FirstChild, int Children, int Least, int[]? Text, int[]? Segment);

    private sealed class Builder(byte[][] keys, int[][] text, int[][] segment)
    {
        private readonly List<Node> _nodes = [];
        private readonly List<byte> _labels = [];

        public (Node[] Nodes, byte[] Labels, byte[] Firsts) Build()
        {
            if (keys.Length > 0)
            {
                _nodes.Add(default);
                // The root has no label, so that the first bytes of its children may differ.
                Fill(0, 0, keys.Length, from: 0, to: 0);
            }

            byte[] labels = [.. _labels];
            return ([.. _nodes], labels, [.. _nodes.Select(n => n.LabelLength > 0 ? labels[n.LabelStart] : (byte)0)]);
        }

        // A node for the sorted keys lo to hi, which are equal up to `to`; its label is what they have from `from` on.
        private int Fill(int node, int lo, int hi, int from, int to)
        {
            var start = _labels.Count;
            _labels.AddRange(keys[lo][from..to]);
            int[]? own = null, ownSegment = null;
            if (keys[lo].Length == to)
            {
                own = text[lo].Length > 0 ? text[lo] : null;
                ownSegment = segment[lo].Length > 0 ? segment[lo] : null;
                lo++;
            }

            var groups = new List<(int Lo, int Hi)>();
            for (var i = lo; i < hi; i++)
            {
                if (i == lo || keys[i][to] != keys[i - 1][to])
                    groups.Add((i, i));
                groups[^1] = (groups[^1].Lo, i + 1);
            }

            var first = _nodes.Count;
            _nodes.AddRange(new Node[groups.Count]);
            var least = Math.Min(own?[0] ?? int.MaxValue, ownSegment?[0] ?? int.MaxValue);
            for (var i = 0; i < groups.Count; i++)
            {
                var (groupLo, groupHi) = groups[i];
                least = Math.Min(least, Fill(first + i, groupLo, groupHi, to, Common(keys[groupLo], keys[groupHi - 1])));
            }

            _nodes[node] = new(start, to - from, first, groups.Count, least, own, ownSegment);
            return least;
        }

        // Of sorted keys the first and the last differ the earliest.
        private static int Common(byte[] a, byte[] b) => a.AsSpan().CommonPrefixLength(b);
    }
}
