using Weft.Proxy.Http;

namespace Weft.Proxy.Http1;

/// <summary>One line of a head or a trailer section.</summary>
internal static class FieldLine
{
    /// <summary>Cuts the first line, without its CR LF. In a request a lone LF ends nothing: it is an error, as every lenient reading of it has been somebody's smuggling.</summary>
    /// <param name="loneLf">A lone LF ends a line, too (RFC 9112 section 2.2): of a server, whose programs write heads by `echo`. What is sent on has CR LF.</param>
    /// <param name="limit">A longer line, whole or not, is <see cref="ParseResult.Failed"/> with <paramref name="tooLong"/>.</param>
    public static ParseResult Next(ReadOnlySpan<byte> data, int limit, out ReadOnlySpan<byte> line, out int consumed, out bool tooLong, bool loneLf = false)
    {
        var end = data.IndexOf((byte)'\n');
        line = default;
        consumed = 0;
        tooLong = false;
        if (end < 0)
        {
            tooLong = data.Length > limit;
            return tooLong ? ParseResult.Failed : ParseResult.Incomplete;
        }

        if (end > limit)
        {
            tooLong = true;
            return ParseResult.Failed;
        }

        var isWhole = end > 0 && data[end - 1] == '\r';
        if (!isWhole && !loneLf)
            return ParseResult.Failed;
        line = data[..(isWhole ? end - 1 : end)];
        consumed = end + 1;
        return ParseResult.Done;
    }

    /// <summary>RFC 9112 section 5: a token, a colon at once, a value without controls. A line that begins with a space (obs-fold) has no token.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0)
        {
            name = value = default;
            return false;
        }

        name = line[..colon];
        value = Trim(line[(colon + 1)..]);
        return !name.ContainsAnyExcept(HttpCharacters.Token) && !value.ContainsAny(HttpCharacters.Forbidden);
    }

    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value)
    {
        var start = 0;
        var end = value.Length;
        while (start < end && value[start] is (byte)' ' or (byte)'\t')
            start++;
        while (end > start && value[end - 1] is (byte)' ' or (byte)'\t')
            end--;
        return value[start..end];
    }
}
