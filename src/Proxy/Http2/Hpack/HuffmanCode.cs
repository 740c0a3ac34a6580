namespace Weft.Proxy.Http2.Hpack;

/// <summary>
/// The Huffman code of RFC 7541 appendix B. It is canonical (codes of one length ascend with their symbols), so the lengths say everything.
/// </summary>
internal static class HuffmanCode
{
    private const int EndOfString = 256;
    private const int LongestCode = 30;

    // Codes up to here are decoded by one look-up: all letters, digits and most signs of header fields are shorter than 9 bits.
    private const int DirectBits = 10;

    private static readonly uint[] Codes = new uint[257];

    // Symbol and length (low four bits) of the code that a run of ten bits begins with; 0: it is longer.
    private static readonly ushort[] Direct = new ushort[1 << DirectBits];

    // By length: what the first 32 bits are less than when the code is not longer; symbols in the order of their codes; what to add to a code to find its symbol.
    private static readonly ulong[] Limits = new ulong[LongestCode + 1];
    private static readonly ushort[] Symbols = new ushort[257];
    private static readonly int[] SymbolOffsets = new int[LongestCode + 1];

    static HuffmanCode()
    {
        uint code = 0;
        var next = 0;
        for (var length = 1; length <= LongestCode; length++)
        {
            code <<= 1;
            SymbolOffsets[length] = next - (int)code;
            for (var symbol = 0; symbol <= EndOfString; symbol++)
            {
                if (Lengths[symbol] != length)
                    continue;
                Codes[symbol] = code;
                Symbols[next++] = (ushort)symbol;
                if (length <= DirectBits)
                    Direct.AsSpan((int)code << (DirectBits - length), 1 << (DirectBits - length)).Fill((ushort)((symbol << 4) | length));
                code++;
            }

            Limits[length] = (ulong)code << (32 - length);
        }
    }

    public static int EncodedLength(ReadOnlySpan<byte> text)
    {
        var bits = 0;
        foreach (var symbol in text)
            bits += Lengths[symbol];
        return (bits + 7) >> 3;
    }

    /// <summary>How many bytes were written: <see cref="EncodedLength"/>.</summary>
    public static int Encode(ReadOnlySpan<byte> text, Span<byte> target)
    {
        ulong pending = 0;
        var bits = 0;
        var at = 0;
        foreach (var symbol in text)
        {
            pending = (pending << Lengths[symbol]) | Codes[symbol];
            bits += Lengths[symbol];
            while (bits >= 8)
            {
                bits -= 8;
                target[at++] = (byte)(pending >> bits);
            }
        }

        // Filled up with the first bits of EOS, all ones (section 5.2).
        if (bits > 0)
            target[at++] = (byte)((pending << (8 - bits)) | (0xFFu >> bits));
        return at;
    }

    /// <param name="target">At least <see cref="LongestDecoded"/>.</param>
    /// <returns>The length of the text; -1 when it is not a text: a whole EOS in it, or an end that is longer than 7 bits or not the first bits of EOS (section 5.2).</returns>
    public static int Decode(ReadOnlySpan<byte> encoded, Span<byte> target)
    {
        ulong pending = 0; // next bits first, from the top
        var bits = 0;
        var read = 0;
        var written = 0;
        while (true)
        {
            while (bits <= 56 && read < encoded.Length)
            {
                pending |= (ulong)encoded[read++] << (56 - bits);
                bits += 8;
            }

            int symbol, length;
            var direct = Direct[pending >> (64 - DirectBits)];
            if (direct != 0)
            {
                (symbol, length) = (direct >> 4, direct & 0xF);
            }
            else
            {
                length = DirectBits + 1;
                while (pending >> 32 >= Limits[length])
                    length++;
                symbol = Symbols[(int)(pending >> (64 - length)) + SymbolOffsets[length]];
            }

            if (length > bits)
                return bits <= 7 && pending >> (64 - 8) == (0xFF00u >> bits & 0xFF) ? written : -1;
            if (symbol == EndOfString)
                return -1;
            target[written++] = (byte)symbol;
            pending <<= length;
            bits -= length;
        }
    }

    /// <summary>The shortest code has 5 bits.</summary>
    public static int LongestDecoded(int encodedLength) => (encodedLength * 8 / 5) + 1;

    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];
}
