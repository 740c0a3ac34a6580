using System.Buffers;

namespace Weft.Proxy.Routing.Matching;

/// <summary>The parameters of a query, one by one. Only `&amp;` parts them, as in the URL standard; escapes are read, a plus sign stays one.</summary>
internal ref struct QueryParameters(ReadOnlySpan<byte> query)
{
    private ReadOnlySpan<byte> _rest = query;
    private bool _done = query.IsEmpty;

    public QueryParameter Current { get; private set; }

    public readonly QueryParameters GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_done)
            return false;
        var end = _rest.IndexOf((byte)'&');
        var part = end < 0 ? _rest : _rest[..end];
        _done = end < 0;
        _rest = end < 0 ? default : _rest[(end + 1)..];
        var equals = part.IndexOf((byte)'=');
        Current = new(equals < 0 ? part : part[..equals], equals < 0 ? default : part[(equals + 1)..], part);
        return true;
    }
}

/// <summary>As sent, still escaped.</summary>
internal readonly ref struct QueryParameter(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ReadOnlySpan<byte> whole)
{
    public ReadOnlySpan<byte> Name { get; } = name;

    public ReadOnlySpan<byte> Value { get; } = value;

    public ReadOnlySpan<byte> Whole { get; } = whole;

    /// <param name="name">Not escaped.</param>
    public bool NameIs(ReadOnlySpan<byte> name)
    {
        if (!Name.Contains((byte)'%'))
            return Name.SequenceEqual(name);
        var buffer = ArrayPool<byte>.Shared.Rent(Name.Length);
        var same = PercentCode.Decode(Name, buffer).SequenceEqual(name);
        ArrayPool<byte>.Shared.Return(buffer);
        return same;
    }

    public bool ValueMatches(TextMatcher matcher)
    {
        if (!Value.Contains((byte)'%'))
            return matcher.Matches(Value);
        var buffer = ArrayPool<byte>.Shared.Rent(Value.Length);
        var matches = matcher.Matches(PercentCode.Decode(Value, buffer));
        ArrayPool<byte>.Shared.Return(buffer);
        return matches;
    }
}
