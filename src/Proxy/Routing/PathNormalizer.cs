using System.Buffers;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Routing;

internal enum PathError
{
    None,
    /// <summary>Neither a path from `/` nor `*`.</summary>
    NotAbsolute,
    /// <summary>A control character, a space, raw or escaped: no honest client sends them.</summary>
    Control,
    /// <summary>`%` without two hexadecimal digits.</summary>
    BadEscape,
    /// <summary>`%2f` or `%5c`, where they are not allowed.</summary>
    EscapedSlash,
    /// <summary>`\`: some servers take it for a slash.</summary>
    Backslash,
    /// <summary>`%25` before what would be dangerous if somebody decoded it again.</summary>
    DoubleEscape,
    /// <summary>UTF-8 in more bytes than needed, which hides a character from those who compare bytes.</summary>
    Overlong,
    /// <summary>`..` above the root.</summary>
    AboveRoot,
    /// <summary>`..;x`: servers that strip parameters see `..`.</summary>
    DotSegmentWithParameter,
    /// <summary>`#` is never sent (RFC 9112 section 3.2).</summary>
    Fragment,
}

/// <summary>
/// One form for all spellings of a path (RFC 3986 section 6.2.2): unreserved characters decoded, all other escapes in upper case, what may not stand in a path escaped,
/// dot segments taken out, slashes merged. What would mean different things to different readers is refused.
/// </summary>
internal static class PathNormalizer
{
    // What needs no thought within a path: pchar of RFC 3986 without `%`, `.` and `/`, which may be the start of something.
    private static readonly SearchValues<byte> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~!$&'()*+,;=:@"u8);
    private static readonly SearchValues<byte> BadInQuery = SearchValues.Create([.. Enumerable.Range(0, 0x21).Select(i => (byte)i), 0x7F, (byte)'#']);

    public static PathError Normalize(ReadOnlySpan<byte> target, PathSettings settings, RequestPath result)
    {
        result.Clear();
        var mark = target.IndexOf((byte)'?');
        var path = mark < 0 ? target : target[..mark];
        var query = mark < 0 ? default : target[mark..];
        if (query.ContainsAny(BadInQuery))
            return query.Contains((byte)'#') ? PathError.Fragment : PathError.Control;
        if (path.IsEmpty || path[0] != '/')
        {
            if (!path.SequenceEqual("*"u8) || !query.IsEmpty)
                return PathError.NotAbsolute;
            result.Set(path, query);
            return PathError.None;
        }

        if (IsPlain(path))
        {
            result.Set(path, query);
            return PathError.None;
        }

        var rented = path.Length > 512 ? ArrayPool<byte>.Shared.Rent(path.Length * 3) : null;
        Span<byte> buffer = rented ?? stackalloc byte[512 * 3];
        var error = Rewrite(path, settings, buffer, out var length);
        if (error == PathError.None)
            result.Set(buffer[..length], query);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return error;
    }

    /// <summary>Unescaped, in a path.</summary>
    public static bool MayStand(byte c) => c is (byte)'/' or (byte)'.' || Plain.Contains(c);

    // Most paths: nothing but plain characters between single slashes, with dots that begin no segment.
    private static bool IsPlain(ReadOnlySpan<byte> path)
    {
        while (true)
        {
            // At a slash.
            path = path[1..];
            if (path.IsEmpty)
                return true;
            if (path[0] is (byte)'/' or (byte)'.')
                return false;
            int stop;
            while ((stop = path.IndexOfAnyExcept(Plain)) >= 0 && path[stop] == '.')
                path = path[(stop + 1)..];
            if (stop < 0)
                return true;
            if (path[stop] != '/')
                return false;
            path = path[stop..];
        }
    }

    private static PathError Rewrite(ReadOnlySpan<byte> path, PathSettings settings, Span<byte> output, out int length)
    {
        var error = Decode(path, settings.EscapedSlashes, output, out length);
        return error == PathError.None ? TakeOutDots(output[..length], settings.MergeSlashes, out length) : error;
    }

    private static PathError Decode(ReadOnlySpan<byte> path, EscapedSlashes slashes, Span<byte> output, out int at)
    {
        at = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            var escaped = c == '%';
            if (escaped)
            {
                if (!PercentCode.TryHex(path, i + 1, out c))
                    return PathError.BadEscape;
                if (c is < 0x20 or 0x7F)
                    return PathError.Control;
                if (c is (byte)'/' or (byte)'\\' && slashes == EscapedSlashes.Refuse)
                    return PathError.EscapedSlash;
                i += 2;
            }
            else if (c is <= 0x20 or 0x7F or (byte)'#')
            {
                return c == '#' ? PathError.Fragment : PathError.Control;
            }
            else if (c == '\\' && slashes == EscapedSlashes.Refuse)
            {
                return PathError.Backslash;
            }

            if ((c == '\\' || (c == '/' && escaped)) && slashes == EscapedSlashes.Decode)
                output[at++] = (byte)'/';
            else if (escaped ? PercentCode.IsUnreserved(c) : MayStand(c))
                output[at++] = c;
            else
                Escape(c, output, ref at);
        }

        return FindDisguise(output[..at]);
    }

    // In the decoded path, so that no mixture of raw and escaped bytes hides anything: what somebody behind might decode once more to a separator, a dot or a NUL.
    private static PathError FindDisguise(ReadOnlySpan<byte> path)
    {
        for (var i = path.IndexOf((byte)'%'); i >= 0 && i < path.Length; i++)
        {
            if (path[i] != '%')
                continue;
            PercentCode.TryHex(path, i + 1, out var value);
            var follows = PercentCode.TryHex(path, i + 3, out var twice);
            if (value == '%' && follows && twice is (< 0x20) or 0x7F or (byte)'/' or (byte)'\\' or (byte)'.' or (byte)'%' or (byte)';')
                return PathError.DoubleEscape;
            // Lead bytes that only overlong forms have, or whose next byte makes them one (RFC 3629 section 3). Other text that is no UTF-8 stays: Latin-1 names exist.
            var next = i + 3 < path.Length && path[i + 3] == '%' && PercentCode.TryHex(path, i + 4, out var byte2) ? byte2 : (byte)0;
            if (value is 0xC0 or 0xC1 || (value == 0xE0 && next is >= 0x80 and < 0xA0) || (value == 0xF0 && next is >= 0x80 and < 0x90))
                return PathError.Overlong;
        }

        return PathError.None;
    }

    // RFC 3986 section 5.2.4, in place: the output is never longer than what was read. Segment by segment, each with the slash in front of it.
    private static PathError TakeOutDots(Span<byte> path, bool mergeSlashes, out int length)
    {
        length = 0;
        for (var read = 0; read < path.Length;)
        {
            var size = path[(read + 1)..].IndexOf((byte)'/');
            var last = size < 0;
            ReadOnlySpan<byte> segment = last ? path[(read + 1)..] : path.Slice(read + 1, size);
            read += segment.Length + 1;
            if (IsDotsWithParameter(segment))
                return PathError.DotSegmentWithParameter;
            if (segment.SequenceEqual(".."u8))
            {
                if (length == 0)
                    return PathError.AboveRoot;
                length = path[..length].LastIndexOf((byte)'/');
            }
            else if (!segment.SequenceEqual("."u8) && (!segment.IsEmpty || !mergeSlashes))
            {
                path[length] = (byte)'/';
                segment.CopyTo(path[(length + 1)..]);
                length += segment.Length + 1;
                continue;
            }

            // What is gone at the end leaves its slash: `/a/.` is `/a/`.
            if (last)
                path[length++] = (byte)'/';
        }

        return PathError.None;
    }

    private static bool IsDotsWithParameter(ReadOnlySpan<byte> segment)
    {
        var rest = segment.TrimStart((byte)'.');
        return segment.Length - rest.Length is 1 or 2 && (rest.StartsWith(";"u8) || rest.StartsWith("%3B"u8));
    }

    private static void Escape(byte c, Span<byte> output, ref int at)
    {
        output[at++] = (byte)'%';
        output[at++] = "0123456789ABCDEF"u8[c >> 4];
        output[at++] = "0123456789ABCDEF"u8[c & 15];
    }
}
