using System.Buffers;
using Weft.Proxy.Http;

namespace Weft.Proxy.Routing.Matching;

/// <summary>
/// Fields of one name, of which there may be several: each is asked alone, and all as the list that they are (RFC 9110 section 5.3). An endpoint may read them either way, so a rule
/// that looks at one way only can be got round (CVE-2020-25017, CVE-2021-32777).
/// </summary>
internal static class HeaderValues
{
    /// <param name="value">Null: the field is there.</param>
    public static bool Any(HeaderList headers, ReadOnlySpan<byte> name, TextMatcher? value)
    {
        var first = headers.IndexOf(name);
        if (first < 0 || value is null)
            return first >= 0;
        var (count, length) = (0, 0);
        for (var i = first; i >= 0; i = headers.IndexOf(name, i + 1))
        {
            var one = headers.Value(i);
            if (value.Matches(one))
                return true;
            count++;
            length += one.Length + 1;
        }

        return count > 1 && MatchesJoined(headers, name, value, length);
    }

    private static bool MatchesJoined(HeaderList headers, ReadOnlySpan<byte> name, TextMatcher value, int length)
    {
        var joined = ArrayPool<byte>.Shared.Rent(length);
        var at = 0;
        for (var i = headers.IndexOf(name); i >= 0; i = headers.IndexOf(name, i + 1))
        {
            if (at > 0)
                joined[at++] = (byte)',';
            headers.Value(i).CopyTo(joined.AsSpan(at));
            at += headers.Value(i).Length;
        }

        var matches = value.Matches(joined.AsSpan(0, at));
        ArrayPool<byte>.Shared.Return(joined);
        return matches;
    }
}
