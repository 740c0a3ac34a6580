namespace Weft.Storage.Tree;

/// <summary>All entries as of one revision. Immutable: any number of readers walk it while the writer goes on.</summary>
internal sealed record Snapshot(Node Root, long Revision)
{
    public Entry? Find(string key)
    {
        var node = Root;
        while (!node.IsLeaf)
            node = node.Children![node.ChildFor(key)];

        var index = node.LowerBound(key, out var found);
        return found ? node.Entries![index] : null;
    }

    public int Count(string prefix)
    {
        var (start, end) = RangeOf(prefix, after: null);
        return end - start;
    }

    public Page List(string prefix, int limit, string? after)
    {
        var (start, end) = RangeOf(prefix, after);
        var take = limit > 0 ? Math.Min(limit, end - start) : end - start;
        return new Page(new EntryRange(Root, start, take), Revision, end - start - take);
    }

    private (int Start, int End) RangeOf(string prefix, string? after)
    {
        var start = prefix.Length == 0 ? 0 : RankOf(prefix, inclusive: false);
        var end = Keys.EndOf(prefix) is { } last ? RankOf(last, inclusive: false) : Root.Count;
        if (after is not null)
            start = Math.Max(start, RankOf(after, inclusive: true));
        return (start, Math.Max(start, end));
    }

    /// <summary>How many keys are below the given one (or, inclusive, not above it).</summary>
    private int RankOf(string key, bool inclusive)
    {
        var node = Root;
        var rank = 0;
        while (!node.IsLeaf)
        {
            var child = node.ChildFor(key);
            for (var i = 0; i < child; i++)
                rank += node.Children![i].Count;
            node = node.Children![child];
        }

        return rank + node.LowerBound(key, out var found) + (inclusive && found ? 1 : 0);
    }
}
