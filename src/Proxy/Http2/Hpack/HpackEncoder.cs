using System.Runtime.InteropServices;
using Weft.Proxy.Http;

namespace Weft.Proxy.Http2.Hpack;

/// <summary>
/// Writes header blocks of one direction of a connection (RFC 7541). A field goes into the table when it is seen for the second time: what differs in each
/// message (request ids, lengths) never comes in, and what repeats costs one byte from the third on. What is secret is in no table: an attacker
/// who shares the connection could guess it by the length of blocks (section 7.1).
/// </summary>
internal sealed class HpackEncoder
{
    /// <summary>More than the default costs memory for each connection and gains little.</summary>
    public const int LargestTable = HpackDecoder.DefaultTableSize;

    // RFC 7541 section 7.1.3: short values have little to guess. The number is that of nghttp2.
    private const int ShortCookie = 20;

    // A field that fills a large part of the table would drive out all others.
    private const int LongestIndexed = 1024;

    private const int Slots = 128;

    private readonly DynamicTable _table = new(LargestTable);
    private ulong[]? _hashes;
    private uint[]? _numbers;
    private int _smallest = LargestTable; // since the last block
    private int _size = LargestTable;
    private bool _sizeChanged;

    public int TableSize => _table.Size;

    /// <summary>SETTINGS_HEADER_TABLE_SIZE of the peer.</summary>
    public void SetLimit(long limit)
    {
        var size = (int)Math.Min(limit, LargestTable);
        if (size == _size)
            return;
        _size = size;
        _smallest = Math.Min(_smallest, size);
        _sizeChanged = true;
    }

    /// <summary>The longest form of a field: three prefixes and the text as it is.</summary>
    public static int LongestField(int nameLength, int valueLength) => nameLength + valueLength + 16;

    /// <summary>First of each block: changes of the size, the smallest and the last (section 4.2).</summary>
    public int Begin(Span<byte> to)
    {
        if (!_sizeChanged)
            return 0;
        var at = 0;
        if (_smallest < _size)
        {
            at = HpackInteger.Write(to, 5, 0x20, _smallest);
            _table.Resize(_smallest);
        }

        at += HpackInteger.Write(to[at..], 5, 0x20, _size);
        _table.Resize(_size);
        (_smallest, _sizeChanged) = (_size, false);
        return at;
    }

    public static int StaticField(Span<byte> to, int index) => HpackInteger.Write(to, 7, 0x80, index);

    /// <summary>A pseudo-header, whose name is in the static table at <paramref name="staticName"/>.</summary>
    public int Pseudo(Span<byte> to, int staticName, ReadOnlySpan<byte> value) =>
        Compressed(to, StaticTable.Name(staticName), value, staticName, StaticTable.Info(staticName));

    /// <summary>A pseudo-header that is not in the static table.</summary>
    public int Pseudo(Span<byte> to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => Compressed(to, name, value, 0, default);

    /// <summary>Nothing is kept of it: for values that are each time others.</summary>
    public static int Passing(Span<byte> to, int staticName, ReadOnlySpan<byte> value) => Literal(to, 4, 0, staticName, default, value);

    public int Field(Span<byte> to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, KnownHeader known, bool neverIndexed)
    {
        var staticName = StaticTable.Find(name, known);
        if (neverIndexed || known is KnownHeader.Authorization or KnownHeader.ProxyAuthorization or KnownHeader.SetCookie || (known == KnownHeader.Cookie && value.Length < ShortCookie))
            return Literal(to, 4, 0x10, staticName, name, value);
        if (known == KnownHeader.AcceptEncoding && value.SequenceEqual(StaticTable.Value(StaticTable.AcceptEncodingGzip)))
            return StaticField(to, StaticTable.AcceptEncodingGzip);
        return Compressed(to, name, value, staticName, default);
    }

    private int Compressed(Span<byte> to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int staticName, FieldInfo info)
    {
        var size = name.Length + value.Length + DynamicTable.EntryOverhead;
        if (size > LongestIndexed || size > _table.MaxSize)
            return Literal(to, 4, 0, staticName, name, value);
        _hashes ??= new ulong[Slots];
        _numbers ??= new uint[Slots];
        var hash = Hash(name, value);
        var slot = (int)(hash >> 57);
        if (_hashes[slot] != hash)
        {
            _hashes[slot] = hash;
            _numbers[slot] = _table.Newest + 1 - int.MaxValue; // no entry
            return Literal(to, 4, 0, staticName, name, value);
        }

        var age = _table.Newest - _numbers[slot];
        if (age < (uint)_table.Count && _table.Value((int)age).SequenceEqual(value) && _table.Name((int)age).SequenceEqual(name))
            return HpackInteger.Write(to, 7, 0x80, StaticTable.Count + 1 + (int)age);
        _table.Insert(name, value, info);
        _numbers[slot] = _table.Newest;
        return Literal(to, 6, 0x40, staticName, name, value);
    }

    private static int Literal(Span<byte> to, int prefixBits, byte pattern, int staticName, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var at = HpackInteger.Write(to, prefixBits, pattern, staticName);
        if (staticName == 0)
            at += Text(to[at..], name);
        return at + Text(to[at..], value);
    }

    private static int Text(Span<byte> to, ReadOnlySpan<byte> text)
    {
        var huffman = HuffmanCode.EncodedLength(text);
        if (huffman < text.Length)
        {
            var prefix = HpackInteger.Write(to, 7, 0x80, huffman);
            return prefix + HuffmanCode.Encode(text, to[prefix..]);
        }

        var at = HpackInteger.Write(to, 7, 0, text.Length);
        text.CopyTo(to[at..]);
        return at + text.Length;
    }

    // Only a hint where to look: what is found is compared.
    private static ulong Hash(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var hash = Mix(0x9E3779B97F4A7C15 ^ (ulong)(uint)name.Length, name);
        return Mix(hash ^ ((ulong)(uint)value.Length << 32), value);
    }

    private static ulong Mix(ulong hash, ReadOnlySpan<byte> text)
    {
        const ulong Factor = 0xD6E8FEB86659FD93;
        while (text.Length >= 8)
        {
            hash = (hash ^ MemoryMarshal.Read<ulong>(text)) * Factor;
            hash ^= hash >> 32;
            text = text[8..];
        }

        ulong rest = 0;
        foreach (var value in text)
            rest = (rest << 8) | value;
        hash = (hash ^ rest) * Factor;
        return hash ^ (hash >> 29);
    }
}
