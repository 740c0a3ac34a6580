namespace Weft.Storage.Tree;

/// <summary>
/// A node of a B+ tree of entries. It is changed in place only by the edit that made it (its owner); to everyone else it is immutable,
/// so a root is a snapshot of the whole map that costs nothing to take and needs no lock to read.
/// </summary>
internal sealed class Node
{
    // A commit copies one node a level: 64 keeps 100,000 entries in three levels and a copy at half a kilobyte.
    public const int Capacity = 64;

    public static readonly Node Empty = new(owner: 0, leaf: true);

    public readonly long Owner;
    public readonly Entry[]? Entries;
    public readonly Node[]? Children;

    /// <summary>For a branch: every key below child i is at or above key i (key 0 is not used). Shared with the node it was copied from, until it changes.</summary>
    public string[]? Keys { get; private set; }

    private bool _sharesKeys;

    public int Length;

    /// <summary>Number of entries below: makes rank, count and "how many remain" logarithmic.</summary>
    public int Count;

    public Node(long owner, bool leaf)
        : this(owner, leaf, leaf ? null : new string[Capacity])
    {
    }

    private Node(long owner, bool leaf, string[]? keys)
    {
        Owner = owner;
        Keys = keys;
        if (leaf)
            Entries = new Entry[Capacity];
        else
            Children = new Node[Capacity];
    }

    public bool IsLeaf => Entries is not null;

    public Node CopyFor(long owner)
    {
        var copy = new Node(owner, IsLeaf, Keys) { Length = Length, Count = Count, _sharesKeys = true };
        if (Entries is not null)
        {
            Array.Copy(Entries, copy.Entries!, Length);
        }
        else
        {
            Array.Copy(Children!, copy.Children!, Length);
        }

        return copy;
    }

    /// <summary>The keys, for the owner to change: most commits change no branch's keys, and do not copy them.</summary>
    public string[] OwnKeys()
    {
        if (_sharesKeys)
        {
            Keys = [.. Keys!];
            _sharesKeys = false;
        }

        return Keys!;
    }

    /// <summary>In a leaf: the index of the first entry at or above the key.</summary>
    public int LowerBound(string key, out bool found)
    {
        int low = 0, high = Length;
        found = false;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var order = Weft.Storage.Keys.Compare(Entries![middle].Key, key);
            if (order < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
                if (order == 0)
                {
                    found = true;
                    return middle;
                }
            }
        }

        return low;
    }

    /// <summary>In a branch: the index of the child that holds the key if anything does.</summary>
    public int ChildFor(string key)
    {
        int low = 1, high = Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Weft.Storage.Keys.Compare(Keys![middle], key) <= 0)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }
}
