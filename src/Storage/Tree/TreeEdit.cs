namespace Weft.Storage.Tree;

/// <summary>
/// A run of changes on top of a snapshot. Nodes it has made already are changed in place, so a group commit copies each node once.
/// Throwing the edit away undoes it. Not for several threads.
/// </summary>
/// <param name="owner">Unique among the edits of one tree, and not 0, which is the empty tree's.</param>
internal sealed class TreeEdit(Node root, long owner)
{
    // Below this a node looks for a neighbour to merge with; merging stops short of full, so that the next insert does not split it again.
    private const int Low = Node.Capacity / 4;
    private const int MergedMax = Node.Capacity * 3 / 4;

    /// <summary>The owner of what was there at the start. The writer counts its edits from 1.</summary>
    public const long Loading = -1;

    /// <summary>The owner for an edit whose result nobody edits further.</summary>
    public const long Scratch = long.MaxValue;

    private Node _root = root;

    public Node Root => _root;

    public Entry? Find(string key) => new Snapshot(_root, 0).Find(key);

    /// <summary>Puts the entry in place of the one with its key, which it returns.</summary>
    public Entry? Set(Entry entry)
    {
        var previous = Set(ref _root, entry, out var right, out var rightKey);
        if (right is not null)
        {
            var top = new Node(owner, leaf: false) { Length = 2, Count = _root.Count + right.Count };
            (top.Children![0], top.Children[1]) = (_root, right);
            (top.OwnKeys()[0], top.OwnKeys()[1]) = ("", rightKey!);
            _root = top;
        }

        return previous;
    }

    /// <summary>Removes the key, and returns what was there.</summary>
    public Entry? Remove(string key)
    {
        if (Find(key) is null)
            return null; // nothing to copy for

        var previous = Remove(ref _root, key);
        while (!_root.IsLeaf && _root.Length == 1)
            _root = _root.Children![0];
        return previous;
    }

    private Node Own(Node node) => node.Owner == owner ? node : node.CopyFor(owner);

    private Entry? Set(ref Node node, Entry entry, out Node? right, out string? rightKey)
    {
        node = Own(node);
        right = null;
        rightKey = null;

        if (node.IsLeaf)
        {
            var at = node.LowerBound(entry.Key, out var found);
            if (found)
            {
                var previous = node.Entries![at];
                node.Entries[at] = entry;
                return previous;
            }

            var target = node;
            if (node.Length == Node.Capacity)
            {
                right = Split(node, out rightKey);
                if (at > node.Length)
                {
                    at -= node.Length;
                    target = right;
                }
            }

            Array.Copy(target.Entries!, at, target.Entries!, at + 1, target.Length - at);
            target.Entries![at] = entry;
            target.Length++;
            target.Count++;
            return null;
        }

        var index = node.ChildFor(entry.Key);
        var replaced = Set(ref node.Children![index], entry, out var newChild, out var newKey);
        if (replaced is null)
            node.Count++;

        if (newChild is not null)
        {
            var target = node;
            index++;
            if (node.Length == Node.Capacity)
            {
                right = Split(node, out rightKey);
                if (index > node.Length)
                {
                    index -= node.Length;
                    target = right;
                }
            }

            Array.Copy(target.Children!, index, target.Children!, index + 1, target.Length - index);
            var keys = target.OwnKeys();
            Array.Copy(keys, index, keys, index + 1, target.Length - index);
            target.Children![index] = newChild;
            keys[index] = newKey!;
            target.Length++;
            if (right is not null)
            {
                Recount(node);
                Recount(right);
            }
        }

        return replaced;
    }

    private Node Split(Node node, out string rightKey)
    {
        const int half = Node.Capacity / 2;
        var right = new Node(owner, node.IsLeaf) { Length = Node.Capacity - half };
        if (node.IsLeaf)
        {
            Array.Copy(node.Entries!, half, right.Entries!, 0, right.Length);
            Array.Clear(node.Entries!, half, right.Length);
            rightKey = right.Entries![0].Key;
            node.Length = node.Count = half;
            right.Count = right.Length;
        }
        else
        {
            Array.Copy(node.Children!, half, right.Children!, 0, right.Length);
            Array.Copy(node.OwnKeys(), half, right.OwnKeys(), 0, right.Length);
            Array.Clear(node.Children!, half, right.Length);
            Array.Clear(node.OwnKeys(), half, right.Length);
            rightKey = right.Keys![0];
            node.Length = half;
        }

        return right;
    }

    private Entry Remove(ref Node node, string key)
    {
        node = Own(node);
        node.Count--;
        if (node.IsLeaf)
        {
            var at = node.LowerBound(key, out _);
            var removed = node.Entries![at];
            node.Length--;
            Array.Copy(node.Entries, at + 1, node.Entries, at, node.Length - at);
            node.Entries[node.Length] = null!;
            return removed;
        }

        var index = node.ChildFor(key);
        var previous = Remove(ref node.Children![index], key);
        var child = node.Children[index];
        if (child.Length == 0)
            DropChild(node, index);
        else if (child.Length < Low)
            MergeChild(node, index);
        return previous;
    }

    private void MergeChild(Node node, int index)
    {
        var left = index > 0 && node.Children![index - 1].Length + node.Children[index].Length <= MergedMax ? index - 1
            : index + 1 < node.Length && node.Children![index + 1].Length + node.Children[index].Length <= MergedMax ? index
            : -1;
        if (left < 0)
            return;

        var into = node.Children![left] = Own(node.Children[left]);
        var from = node.Children[left + 1];
        if (into.IsLeaf)
        {
            Array.Copy(from.Entries!, 0, into.Entries!, into.Length, from.Length);
        }
        else
        {
            Array.Copy(from.Children!, 0, into.Children!, into.Length, from.Length);
            Array.Copy(from.Keys!, 0, into.OwnKeys(), into.Length, from.Length);
            into.OwnKeys()[into.Length] = node.Keys![left + 1]; // key 0 of a node is not kept: its parent knows it
        }

        into.Length += from.Length;
        into.Count += from.Count;
        DropChild(node, left + 1);
    }

    private static void DropChild(Node node, int index)
    {
        node.Length--;
        Array.Copy(node.Children!, index + 1, node.Children!, index, node.Length - index);
        node.Children![node.Length] = null!;
        var keys = node.OwnKeys();
        Array.Copy(keys, index + 1, keys, index, node.Length - index);
        keys[node.Length] = null!;
    }

    private static void Recount(Node node)
    {
        var count = 0;
        for (var i = 0; i < node.Length; i++)
            count += node.Children![i].Count;
        node.Count = count;
    }
}
