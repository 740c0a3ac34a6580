using System.Collections;

namespace Weft.Storage.Tree;

/// <summary>A run of entries of a snapshot, by rank. A list of 10,000 entries is this one object: nothing is copied.</summary>
internal sealed class EntryRange(Node root, int start, int count) : IReadOnlyList<Entry>
{
    public int Count => count;

    public Entry this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)count, nameof(index));
            var leaf = LeafAt(start + index, out var offset);
            return leaf.Entries![offset];
        }
    }

    public IEnumerator<Entry> GetEnumerator() => new Enumerator(this);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private Node LeafAt(int rank, out int offset)
    {
        var node = root;
        while (!node.IsLeaf)
        {
            var child = 0;
            while (rank >= node.Children![child].Count)
                rank -= node.Children[child++].Count;
            node = node.Children[child];
        }

        offset = rank;
        return node;
    }

    private sealed class Enumerator(EntryRange range) : IEnumerator<Entry>
    {
        private readonly int _count = range.Count;
        private int _next;
        private Node? _leaf;
        private int _offset;
        private Entry? _current;

        public Entry Current => _current!;

        object IEnumerator.Current => Current;

        public bool MoveNext()
        {
            if (_next >= _count)
                return false;

            if (_leaf is null || ++_offset >= _leaf.Length)
                _leaf = range.LeafAt(range.Start + _next, out _offset);

            _current = _leaf.Entries![_offset];
            _next++;
            return true;
        }

        public void Reset() => (_next, _leaf, _current) = (0, null, null);

        public void Dispose()
        {
        }
    }

    private int Start => start;
}
