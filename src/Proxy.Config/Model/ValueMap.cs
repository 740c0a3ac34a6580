using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Weft.Proxy.Config.Model;

/// <summary>Texts by name (labels, selectors), equal to another with the same pairs in whatever order they were given.</summary>
public readonly struct ValueMap : IReadOnlyCollection<KeyValuePair<string, string>>, IEquatable<ValueMap>
{
    private readonly ValueList<KeyValuePair<string, string>> _sorted;

    /// <exception cref="ArgumentException">A name stands twice.</exception>
    public ValueMap(IEnumerable<KeyValuePair<string, string>> pairs)
        => _sorted = new SortedDictionary<string, string>(new Dictionary<string, string>(pairs), StringComparer.Ordinal).ToValueList();

    public int Count => _sorted.Count;

    public bool TryGetValue(string key, [NotNullWhen(true)] out string? value)
    {
        foreach (var pair in _sorted)
        {
            if (pair.Key == key)
            {
                value = pair.Value;
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <summary>Whether all of these pairs are in <paramref name="labels"/>: a selector, and none selects all.</summary>
    public bool IsSubsetOf(ValueMap labels)
    {
        foreach (var pair in _sorted)
        {
            if (!labels.TryGetValue(pair.Key, out var value) || value != pair.Value)
                return false;
        }

        return true;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, string>>)_sorted).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(ValueMap other) => _sorted == other._sorted;

    public override bool Equals(object? obj) => obj is ValueMap other && Equals(other);

    public override int GetHashCode() => _sorted.GetHashCode();

    public override string ToString() => $"{{{string.Join(", ", this.Select(p => $"{p.Key}: {p.Value}"))}}}";

    public static bool operator ==(ValueMap left, ValueMap right) => left.Equals(right);

    public static bool operator !=(ValueMap left, ValueMap right) => !left.Equals(right);
}
