using System.Buffers.Binary;

namespace Weft.Proxy.Filters.Authentication.Passwords;

/// <summary>Blowfish (Schneier 1993) with the expensive key schedule of bcrypt (Provos and Mazieres 1999, section 4).</summary>
internal sealed class Blowfish
{
    private const int Rounds = 16;
    private static readonly uint[] Start = PiDigits.Words(Rounds + 2 + 1024);
    private readonly uint[] _keys = Start[..(Rounds + 2)];
    private readonly uint[] _boxes = Start[(Rounds + 2)..];

    /// <param name="salt">16 bytes; empty: none.</param>
    public void Expand(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt)
    {
        var at = 0;
        for (var i = 0; i < _keys.Length; i++)
            _keys[i] ^= Next(key, ref at);
        at = 0;
        var (left, right) = (0u, 0u);
        Fill(_keys, salt, ref at, ref left, ref right);
        Fill(_boxes, salt, ref at, ref left, ref right);
    }

    /// <param name="block">8 bytes.</param>
    public void Encrypt(Span<byte> block)
    {
        var (left, right) = (BinaryPrimitives.ReadUInt32BigEndian(block), BinaryPrimitives.ReadUInt32BigEndian(block[4..]));
        Encrypt(ref left, ref right);
        BinaryPrimitives.WriteUInt32BigEndian(block, left);
        BinaryPrimitives.WriteUInt32BigEndian(block[4..], right);
    }

    private void Fill(uint[] table, ReadOnlySpan<byte> salt, ref int at, ref uint left, ref uint right)
    {
        for (var i = 0; i < table.Length; i += 2)
        {
            if (!salt.IsEmpty)
            {
                left ^= Next(salt, ref at);
                right ^= Next(salt, ref at);
            }

            Encrypt(ref left, ref right);
            (table[i], table[i + 1]) = (left, right);
        }
    }

    private void Encrypt(ref uint left, ref uint right)
    {
        var (keys, boxes) = (_keys, _boxes);
        var (l, r) = (left ^ keys[0], right);
        for (var i = 1; i <= Rounds; i += 2)
        {
            r ^= Mix(boxes, l) ^ keys[i];
            l ^= Mix(boxes, r) ^ keys[i + 1];
        }

        (left, right) = (r ^ keys[Rounds + 1], l);
    }

    private static uint Mix(uint[] boxes, uint x) => ((boxes[x >> 24] + boxes[256 + (x >> 16 & 255)]) ^ boxes[512 + (x >> 8 & 255)]) + boxes[768 + (x & 255)];

    private static uint Next(ReadOnlySpan<byte> bytes, ref int at)
    {
        uint word = 0;
        for (var i = 0; i < 4; i++)
        {
            word = word << 8 | bytes[at];
            at = at + 1 == bytes.Length ? 0 : at + 1;
        }

        return word;
    }
}
