using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>Several values, one of which must match.</summary>
internal sealed class PolicyTexts(IEnumerable<string> values)
{
    private readonly PolicyText[] _values = [.. values.Select(v => new PolicyText(v))];

    public static PolicyTexts? Of(ValueList<string> values) => values.IsEmpty ? null : new(values);

    public bool Match(ReadOnlySpan<char> value)
    {
        foreach (var own in _values)
        {
            if (own.Matches(value))
                return true;
        }

        return false;
    }

    public bool Match(ReadOnlySpan<byte> value)
    {
        foreach (var own in _values)
        {
            if (own.Matches(value))
                return true;
        }

        return false;
    }

    public bool MatchAny(IReadOnlyList<string> values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (Match(values[i]))
                return true;
        }

        return false;
    }

    /// <summary>Each field of the name alone, and all as their list (CVE-2020-25017).</summary>
    public bool MatchHeader(HeaderList headers, ReadOnlySpan<byte> name)
    {
        var count = 0;
        for (var i = headers.IndexOf(name); i >= 0; i = headers.IndexOf(name, i + 1))
        {
            if (Match(headers.Value(i)))
                return true;
            count++;
        }

        if (count < 2)
            return false;
        var joined = new List<byte>();
        for (var i = headers.IndexOf(name); i >= 0; i = headers.IndexOf(name, i + 1))
        {
            if (joined.Count > 0)
                joined.Add((byte)',');
            joined.AddRange(headers.Value(i));
        }

        return Match(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(joined));
    }
}
