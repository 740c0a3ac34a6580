using System.Buffers.Binary;

namespace Weft.Balancing;

/// <summary>A hash that is the same in every process and version: rings and tables must agree across proxies and restarts. Not against attackers.</summary>
public static class StableHash
{
    private const ulong Prime = 0x9FB21C651E98DF25;

    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed = 0)
    {
        var hash = seed ^ ((ulong)bytes.Length * Prime);
        while (bytes.Length >= 8)
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) * Prime;
            bytes = bytes[8..];
        }

        ulong tail = 0;
        for (var i = 0; i < bytes.Length; i++)
            tail |= (ulong)bytes[i] << (8 * i);
        return Mix(hash ^ tail);
    }

    public static ulong Of(string text, ulong seed = 0)
    {
        const int Stack = 256;
        var size = System.Text.Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> bytes = size <= Stack ? stackalloc byte[Stack] : new byte[size];
        return Of(bytes[..System.Text.Encoding.UTF8.GetBytes(text, bytes)], seed);
    }

    /// <summary>The finaliser of SplitMix64: each bit of the input moves half of the bits of the output.</summary>
    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
