namespace Weft.Api.Apply;

/// <summary>
/// A set of field paths, as a tree: a step may be a member itself (`.`), have members below it, or both. Sets never change; the operations walk two sorted
/// lists side by side and share what stays as it is.
/// </summary>
public sealed class FieldSet : IEquatable<FieldSet>
{
    public static readonly FieldSet Empty = new([]);

    // Sorted. A step that is no member has members below it: an empty branch is never kept.
    private readonly Step[] _steps;

    private FieldSet(Step[] steps) => _steps = steps;

    private readonly record struct Step(PathElement Element, bool IsMember, FieldSet? Below);

    public bool IsEmpty => _steps.Length == 0;

    /// <summary>The steps of the first level, in order, with what is known of each.</summary>
    public IEnumerable<(PathElement Element, bool IsMember, FieldSet Below)> Elements => _steps.Select(s => (s.Element, s.IsMember, s.Below ?? Empty));

    public static FieldSet Of(params ReadOnlySpan<IReadOnlyList<PathElement>> paths)
    {
        var set = Empty;
        foreach (var path in paths)
            set = set.Union(Single(path, 0));
        return set;
    }

    /// <summary>A path of members: `spec`, `replicas`.</summary>
    public static FieldSet OfFields(params string[] names) => Single([.. names.Select(PathElement.Field)], 0);

    private static FieldSet Single(IReadOnlyList<PathElement> path, int at) =>
        new([at == path.Count - 1 ? new(path[at], true, null) : new(path[at], false, Single(path, at + 1))]);

    public bool Contains(PathElement element) => Find(element) is >= 0 and var at && _steps[at].IsMember;

    public bool Contains(IReadOnlyList<PathElement> path)
    {
        var set = this;
        for (var i = 0; i < path.Count - 1; i++)
            set = set.Below(path[i]);
        return set.Contains(path[^1]);
    }

    /// <summary>The members below a step, with paths from there.</summary>
    public FieldSet Below(PathElement element) => Find(element) is >= 0 and var at ? _steps[at].Below ?? Empty : Empty;

    private int Find(PathElement element)
    {
        var (low, high) = (0, _steps.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = _steps[middle].Element.CompareTo(element);
            if (order == 0)
                return middle;
            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return -1;
    }

    public FieldSet Union(FieldSet other)
    {
        if (IsEmpty || ReferenceEquals(this, other))
            return other;
        if (other.IsEmpty)
            return this;
        var result = new List<Step>(_steps.Length + other._steps.Length);
        int i = 0, j = 0;
        while (i < _steps.Length || j < other._steps.Length)
        {
            var order = i == _steps.Length ? 1 : j == other._steps.Length ? -1 : _steps[i].Element.CompareTo(other._steps[j].Element);
            if (order < 0)
                result.Add(_steps[i++]);
            else if (order > 0)
                result.Add(other._steps[j++]);
            else
            {
                var (ours, theirs) = (_steps[i++], other._steps[j++]);
                result.Add(new(ours.Element, ours.IsMember || theirs.IsMember, ours.Below is null ? theirs.Below : theirs.Below is null ? ours.Below : ours.Below.Union(theirs.Below)));
            }
        }
        return new([.. result]);
    }

    public FieldSet Intersection(FieldSet other) => Shared(other, both: true, static (ours, theirs) =>
        (ours.IsMember && theirs.IsMember, ours.Below is null || theirs.Below is null ? null : ours.Below.Intersection(theirs.Below)));

    /// <summary>Without the members of <paramref name="other"/>; what lies below such a member stays.</summary>
    public FieldSet Difference(FieldSet other) => Shared(other, both: false, static (ours, theirs) =>
        (ours.IsMember && !theirs.IsMember, ours.Below is null || theirs.Below is null ? ours.Below : ours.Below.Difference(theirs.Below)));

    /// <summary>Without the members of <paramref name="other"/> and everything below them.</summary>
    public FieldSet RecursiveDifference(FieldSet other) => Shared(other, both: false, static (ours, theirs) => theirs.IsMember
        ? (false, null)
        : (ours.IsMember, ours.Below is null || theirs.Below is null ? ours.Below : ours.Below.RecursiveDifference(theirs.Below)));

    // Combines the steps that both have; of the others it keeps its own, unless only common ones count. Gives back itself when nothing changes.
    private FieldSet Shared(FieldSet other, bool both, Func<Step, Step, (bool IsMember, FieldSet? Below)> combine)
    {
        if (IsEmpty || other.IsEmpty)
            return both ? Empty : this;
        List<Step>? result = null;
        int j = 0;
        for (var i = 0; i < _steps.Length; i++)
        {
            var ours = _steps[i];
            while (j < other._steps.Length && other._steps[j].Element.CompareTo(ours.Element) < 0)
                j++;
            var (isMember, below) = j < other._steps.Length && other._steps[j].Element.Equals(ours.Element)
                ? combine(ours, other._steps[j])
                : both ? (false, null) : (ours.IsMember, ours.Below);
            if (below is { IsEmpty: true })
                below = null;
            if (result is null && isMember == ours.IsMember && ReferenceEquals(below, ours.Below))
                continue;
            result ??= [.. _steps.AsSpan(0, i)];
            if (isMember || below is not null)
                result.Add(new(ours.Element, isMember, below));
        }
        return result is null ? this : Made(result);
    }

    /// <summary>Only the members that have no members below them.</summary>
    public FieldSet Leaves()
    {
        var result = new List<Step>(_steps.Length);
        foreach (var step in _steps)
            result.Add(step.Below is null ? step : new(step.Element, false, step.Below.Leaves()));
        return Made(result);
    }

    private static FieldSet Made(List<Step> steps) => steps.Count == 0 ? Empty : new([.. steps]);

    /// <summary>Every path, in order, a step before what lies below it.</summary>
    public IEnumerable<IReadOnlyList<PathElement>> Paths() => Paths([]);

    private IEnumerable<IReadOnlyList<PathElement>> Paths(IReadOnlyList<PathElement> prefix)
    {
        foreach (var step in _steps)
        {
            PathElement[] path = [.. prefix, step.Element];
            if (step.IsMember)
                yield return path;
            if (step.Below is null)
                continue;
            foreach (var below in step.Below.Paths(path))
                yield return below;
        }
    }

    public bool Equals(FieldSet? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || _steps.Length != other._steps.Length)
            return false;
        for (var i = 0; i < _steps.Length; i++)
        {
            var (ours, theirs) = (_steps[i], other._steps[i]);
            if (ours.IsMember != theirs.IsMember || !ours.Element.Equals(theirs.Element) || !(ours.Below ?? Empty).Equals(theirs.Below ?? Empty))
                return false;
        }
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as FieldSet);

    public override int GetHashCode() => IsEmpty ? 0 : HashCode.Combine(_steps.Length, _steps[0].Element);

    public override string ToString() => string.Join('\n', Paths().Select(p => string.Concat(p)));

    /// <summary>Collects a set step by step.</summary>
    internal sealed class Builder
    {
        // Up to here a search is cheaper than an index.
        private const int IndexFrom = 16;

        private List<(PathElement Element, bool IsMember, Builder? Below)>? _steps;
        private Dictionary<PathElement, int>? _index;

        public void AddMember(PathElement element)
        {
            var at = Place(element);
            _steps![at] = _steps[at] with { IsMember = true };
        }

        public Builder Below(PathElement element)
        {
            var at = Place(element);
            if (_steps![at].Below is { } known)
                return known;
            var below = new Builder();
            _steps[at] = _steps[at] with { Below = below };
            return below;
        }

        public void AddAll(FieldSet set)
        {
            foreach (var step in set._steps)
            {
                if (step.IsMember)
                    AddMember(step.Element);
                if (step.Below is not null)
                    Below(step.Element).AddAll(step.Below);
            }
        }

        public FieldSet Build()
        {
            if (_steps is null)
                return Empty;
            var steps = new List<Step>(_steps.Count);
            var sorted = true;
            foreach (var (element, isMember, builder) in _steps)
            {
                var below = builder?.Build();
                if (below is { IsEmpty: true })
                    below = null;
                if (!isMember && below is null)
                    continue;
                sorted &= steps.Count == 0 || steps[^1].Element.CompareTo(element) < 0;
                steps.Add(new(element, isMember, below));
            }
            if (!sorted)
                steps.Sort(static (a, b) => a.Element.CompareTo(b.Element));
            return Made(steps);
        }

        private int Place(PathElement element)
        {
            _steps ??= [];
            if (_steps.Count > 0 && _steps[^1].Element.Equals(element))
                return _steps.Count - 1;
            if (_steps.Count < IndexFrom)
            {
                for (var i = 0; i < _steps.Count; i++)
                    if (_steps[i].Element.Equals(element))
                        return i;
            }
            else
            {
                if (_index is null)
                {
                    _index = new(_steps.Count * 2);
                    for (var i = 0; i < _steps.Count; i++)
                        _index[_steps[i].Element] = i;
                }
                if (_index.TryGetValue(element, out var known))
                    return known;
                _index[element] = _steps.Count;
            }
            _steps.Add((element, false, null));
            return _steps.Count - 1;
        }
    }
}
