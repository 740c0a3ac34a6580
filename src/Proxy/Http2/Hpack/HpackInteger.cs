namespace Weft.Proxy.Http2.Hpack;

/// <summary>Integers with a prefix of some bits (RFC 7541 section 5.1).</summary>
internal static class HpackInteger
{
    /// <summary>
    /// Bytes after the prefix. Four hold 2^28, more than any length or index that a header block within its limits can have; a longer form, also one of
    /// leading zeros, is an error (section 5.1: both "in value or octet length").
    /// </summary>
    private const int LongestTail = 4;

    /// <summary>How many bytes it took; 0: not whole or too large.</summary>
    public static int Read(ReadOnlySpan<byte> from, int prefixBits, out int value)
    {
        value = 0;
        if (from.IsEmpty)
            return 0;
        var mask = (1 << prefixBits) - 1;
        value = from[0] & mask;
        if (value < mask)
            return 1;
        for (var i = 1; i <= LongestTail && i < from.Length; i++)
        {
            value += (from[i] & 0x7F) << (7 * (i - 1));
            if ((from[i] & 0x80) == 0)
                return i + 1;
        }

        return 0;
    }

    /// <param name="pattern">The bits in front of the prefix.</param>
    public static int Write(Span<byte> to, int prefixBits, byte pattern, int value)
    {
        var mask = (1 << prefixBits) - 1;
        if (value < mask)
        {
            to[0] = (byte)(pattern | value);
            return 1;
        }

        to[0] = (byte)(pattern | mask);
        value -= mask;
        var at = 1;
        for (; value >= 0x80; value >>= 7)
            to[at++] = (byte)(value | 0x80);
        to[at++] = (byte)value;
        return at;
    }
}
