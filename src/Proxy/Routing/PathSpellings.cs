namespace Weft.Proxy.Routing;

/// <summary>
/// Paths that an endpoint may take a request's for. RFC 3986 section 6.2.2.2 lets a normaliser decode unreserved characters alone, so `/a%40b` and `/a@b` stay two paths; but most servers take them for
/// one, some take `/a;x=1/b` for `/a/b`, and some take `%2F` for a slash. A rule that refuses one of them must refuse them all.
/// </summary>
internal static class PathSpellings
{
    /// <summary>Whether there are others than the path itself.</summary>
    public static bool Has(ReadOnlySpan<byte> path) => path.IndexOfAny((byte)'%', (byte)';') >= 0;

    /// <summary>All that may stand in a path decoded, but separators.</summary>
    /// <param name="to">At least as long as the path.</param>
    /// <returns>How much of it is used.</returns>
    public static int Decode(ReadOnlySpan<byte> path, Span<byte> to) => Decode(path, to, separators: false);

    /// <summary>As the most careless server sees it: separators decoded as well, parameters of segments taken off, dot segments and empty ones taken out.</summary>
    /// <param name="to">At least as long as the path.</param>
    /// <returns>How much of it is used.</returns>
    public static int Simplify(ReadOnlySpan<byte> path, Span<byte> to)
    {
        return Resolve(to[..Decode(path, to, separators: true)], parameters: true);
    }

    /// <summary>As a server sees it that takes parameters off what it was sent, and decodes after that: `/admin;x=%2F../a` is `/admin/a` to it, and `/a` to the one of <see cref="Simplify"/>.</summary>
    /// <param name="to">At least as long as the path.</param>
    /// <returns>How much of it is used.</returns>
    public static int CutAndSimplify(ReadOnlySpan<byte> path, Span<byte> to)
    {
        var length = 0;
        var parameter = false;
        foreach (var c in path)
        {
            parameter = c != '/' && (parameter || c == ';');
            if (!parameter)
                to[length++] = c;
        }

        // What is decoded is no longer than what it is read from, so it may take its place.
        return Resolve(to[..Decode(to[..length], to, separators: true)], parameters: false);
    }

    /// <summary>Takes out dot segments and empty ones, in place.</summary>
    /// <param name="parameters">Those of segments as well.</param>
    private static int Resolve(Span<byte> decoded, bool parameters)
    {
        var length = 0;
        var read = 0;
        while (read < decoded.Length)
        {
            var size = decoded[(read + 1)..].IndexOf((byte)'/');
            var last = size < 0;
            ReadOnlySpan<byte> segment = last ? decoded[(read + 1)..] : decoded.Slice(read + 1, size);
            read += segment.Length + 1;
            var plain = parameters && segment.IndexOf((byte)';') is >= 0 and var parameter ? segment[..parameter] : segment;
            if (plain.SequenceEqual(".."u8))
            {
                length = Math.Max(0, decoded[..length].LastIndexOf((byte)'/'));
            }
            else if (!plain.IsEmpty && !plain.SequenceEqual("."u8))
            {
                decoded[length] = (byte)'/';
                plain.CopyTo(decoded[(length + 1)..]);
                length += plain.Length + 1;
                continue;
            }

            // What is gone at the end leaves its slash.
            if (last)
                decoded[length++] = (byte)'/';
        }

        return length;
    }

    private static int Decode(ReadOnlySpan<byte> path, Span<byte> to, bool separators)
    {
        var length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            if (c == '%' && PercentCode.TryHex(path, i + 1, out var value))
            {
                var separator = value is (byte)'/' or (byte)'\\';
                if (separator ? separators : PathNormalizer.MayStand(value))
                {
                    to[length++] = separator ? (byte)'/' : value;
                    i += 2;
                    continue;
                }
            }

            to[length++] = c;
        }

        return length;
    }
}
