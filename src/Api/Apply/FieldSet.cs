namespace Weft.Api.Apply;

/// <summary>
/// A set of field paths, as a tree: a step may be a member itself (`.`), have members below it, or both. Values never change once they leave their builder;
/// the operations give new sets and share what is equal.
/// </summary>
public sealed class FieldSet : IEquatable<FieldSet>
{
    public static readonly FieldSet Empty = new([]);

    // A node without members below it is a member itself: an empty branch is never kept.
    private readonly SortedDictionary<PathElement, Node> _nodes;

    private FieldSet(SortedDictionary<PathElement, Node> nodes) => _nodes = nodes;

    private readonly record struct Node(bool IsMember, FieldSet? Below);

    public bool IsEmpty => _nodes.Count == 0;

    /// <summary>The steps of the first level, in order, with what is known of each.</summary>
    public IEnumerable<(PathElement Element, bool IsMember, FieldSet Below)> Elements => _nodes.Select(n => (n.Key, n.Value.IsMember, n.Value.Below ?? Empty));

    public static FieldSet Of(params ReadOnlySpan<IReadOnlyList<PathElement>> paths)
    {
        var set = Empty;
        foreach (var path in paths)
            set = set.Union(Single(path, 0));
        return set;
    }

    /// <summary>A path of members: `spec`, `replicas`.</summary>
    public static FieldSet OfFields(params string[] names) => Single([.. names.Select(PathElement.Field)], 0);

    private static FieldSet Single(IReadOnlyList<PathElement> path, int at)
    {
        var node = at == path.Count - 1 ? new Node(true, null) : new Node(false, Single(path, at + 1));
        return new(new() { [path[at]] = node });
    }

    public bool Contains(PathElement element) => _nodes.TryGetValue(element, out var node) && node.IsMember;

    public bool Contains(IReadOnlyList<PathElement> path)
    {
        var set = this;
        for (var i = 0; i < path.Count - 1; i++)
            set = set.Below(path[i]);
        return set.Contains(path[^1]);
    }

    /// <summary>The members below a step, with paths from there.</summary>
    public FieldSet Below(PathElement element) => _nodes.TryGetValue(element, out var node) ? node.Below ?? Empty : Empty;

    public FieldSet Union(FieldSet other)
    {
        if (IsEmpty || ReferenceEquals(this, other))
            return other;
        if (other.IsEmpty)
            return this;
        var nodes = new SortedDictionary<PathElement, Node>(_nodes);
        foreach (var (element, theirs) in other._nodes)
        {
            nodes[element] = nodes.TryGetValue(element, out var ours)
                ? new(ours.IsMember || theirs.IsMember, ours.Below is null ? theirs.Below : theirs.Below is null ? ours.Below : ours.Below.Union(theirs.Below))
                : theirs;
        }
        return new(nodes);
    }

    public FieldSet Intersection(FieldSet other)
    {
        if (IsEmpty || other.IsEmpty)
            return Empty;
        var nodes = new SortedDictionary<PathElement, Node>();
        foreach (var (element, ours) in _nodes)
            if (other._nodes.TryGetValue(element, out var theirs))
                Keep(nodes, element, ours.IsMember && theirs.IsMember, ours.Below is null || theirs.Below is null ? null : ours.Below.Intersection(theirs.Below));
        return new(nodes);
    }

    /// <summary>Without the members of <paramref name="other"/>; what lies below such a member stays.</summary>
    public FieldSet Difference(FieldSet other)
    {
        if (IsEmpty || other.IsEmpty)
            return this;
        var nodes = new SortedDictionary<PathElement, Node>();
        foreach (var (element, ours) in _nodes)
        {
            if (!other._nodes.TryGetValue(element, out var theirs))
                nodes[element] = ours;
            else
                Keep(nodes, element, ours.IsMember && !theirs.IsMember, ours.Below is null || theirs.Below is null ? ours.Below : ours.Below.Difference(theirs.Below));
        }
        return new(nodes);
    }

    /// <summary>Without the members of <paramref name="other"/> and everything below them.</summary>
    public FieldSet RecursiveDifference(FieldSet other)
    {
        if (IsEmpty || other.IsEmpty)
            return this;
        var nodes = new SortedDictionary<PathElement, Node>();
        foreach (var (element, ours) in _nodes)
        {
            if (!other._nodes.TryGetValue(element, out var theirs))
                nodes[element] = ours;
            else if (!theirs.IsMember)
                Keep(nodes, element, ours.IsMember, theirs.Below is null ? ours.Below : ours.Below?.RecursiveDifference(theirs.Below));
        }
        return new(nodes);
    }

    /// <summary>Only the members that have no members below them.</summary>
    public FieldSet Leaves()
    {
        var nodes = new SortedDictionary<PathElement, Node>();
        foreach (var (element, node) in _nodes)
            Keep(nodes, element, node.IsMember && node.Below is null, node.Below?.Leaves());
        return new(nodes);
    }

    /// <summary>Every path, in order, a step before what lies below it.</summary>
    public IEnumerable<IReadOnlyList<PathElement>> Paths() => Paths([]);

    private IEnumerable<IReadOnlyList<PathElement>> Paths(IReadOnlyList<PathElement> prefix)
    {
        foreach (var (element, node) in _nodes)
        {
            PathElement[] path = [.. prefix, element];
            if (node.IsMember)
                yield return path;
            if (node.Below is null)
                continue;
            foreach (var below in node.Below.Paths(path))
                yield return below;
        }
    }

    public bool Equals(FieldSet? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || _nodes.Count != other._nodes.Count)
            return false;
        foreach (var (element, ours) in _nodes)
            if (!other._nodes.TryGetValue(element, out var theirs) || ours.IsMember != theirs.IsMember || !(ours.Below ?? Empty).Equals(theirs.Below ?? Empty))
                return false;
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as FieldSet);

    public override int GetHashCode() => _nodes.Count == 0 ? 0 : HashCode.Combine(_nodes.Count, _nodes.First().Key);

    public override string ToString() => string.Join('\n', Paths().Select(p => string.Concat(p)));

    private static void Keep(SortedDictionary<PathElement, Node> nodes, PathElement element, bool isMember, FieldSet? below)
    {
        if (below is { IsEmpty: true })
            below = null;
        if (isMember || below is not null)
            nodes[element] = new(isMember, below);
    }

    /// <summary>Collects a set step by step.</summary>
    internal sealed class Builder
    {
        private readonly SortedDictionary<PathElement, (bool IsMember, Builder? Below)> _nodes = [];

        public void AddMember(PathElement element) => _nodes[element] = (true, _nodes.GetValueOrDefault(element).Below);

        public Builder Below(PathElement element)
        {
            var (isMember, below) = _nodes.GetValueOrDefault(element);
            if (below is null)
                _nodes[element] = (isMember, below = new());
            return below;
        }

        public void AddAll(PathElement element, FieldSet below)
        {
            if (below.IsEmpty)
                return;
            var target = Below(element);
            foreach (var (inner, isMember, deeper) in below.Elements)
            {
                if (isMember)
                    target.AddMember(inner);
                target.AddAll(inner, deeper);
            }
        }

        public FieldSet Build()
        {
            var nodes = new SortedDictionary<PathElement, Node>();
            foreach (var (element, (isMember, below)) in _nodes)
                Keep(nodes, element, isMember, below?.Build());
            return nodes.Count == 0 ? Empty : new(nodes);
        }
    }
}
