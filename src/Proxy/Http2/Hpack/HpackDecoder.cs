namespace Weft.Proxy.Http2.Hpack;

/// <summary>Takes the fields of a block in their order. The spans are valid during the call.</summary>
internal abstract class FieldSink
{
    /// <param name="neverIndexed">The sender does not want it in any table, on no later hop either (RFC 7541 section 6.2.3).</param>
    public abstract void OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, FieldInfo info, bool neverIndexed);
}

internal enum DecodeResult
{
    Done,
    /// <summary>COMPRESSION_ERROR of the connection: the tables of the two sides are no longer the same.</summary>
    Corrupt,
    /// <summary>More fields than anyone should have to look at: decoding was given up, so this ends the connection, too.</summary>
    TooMuch,
}

/// <summary>Header blocks of one direction of a connection (RFC 7541). Every block must come here, also one that nobody wants: the table depends on all of them.</summary>
/// <param name="tableLimit">What was advertised as SETTINGS_HEADER_TABLE_SIZE.</param>
internal sealed class HpackDecoder(int tableLimit = HpackDecoder.DefaultTableSize)
{
    /// <summary>RFC 9113 section 6.5.2.</summary>
    public const int DefaultTableSize = 4096;

    private readonly DynamicTable _table = new(tableLimit);
    private byte[] _name = [];
    private byte[] _value = [];

    public int TableSize => _table.Size;

    /// <param name="sizeLimit">Of the decoded list, as SETTINGS_MAX_HEADER_LIST_SIZE counts.</param>
    public DecodeResult Decode(ReadOnlySpan<byte> block, FieldSink sink, long sizeLimit)
    {
        long size = 0;
        var fields = false;
        while (!block.IsEmpty)
        {
            var first = block[0];
            int used;
            if ((first & 0x80) != 0)
                used = Indexed(block, sink, ref size);
            else if ((first & 0xC0) == 0x40)
                used = Literal(block, 6, insert: true, neverIndexed: false, sink, ref size);
            else if ((first & 0xE0) == 0x20)
                used = fields ? 0 : SizeUpdate(block);
            else
                used = Literal(block, 4, insert: false, neverIndexed: (first & 0x10) != 0, sink, ref size);
            if (used == 0)
                return DecodeResult.Corrupt;
            if (size > sizeLimit)
                return DecodeResult.TooMuch;
            fields |= (first & 0xE0) != 0x20;
            block = block[used..];
        }

        return DecodeResult.Done;
    }

    private int Indexed(ReadOnlySpan<byte> block, FieldSink sink, ref long size)
    {
        var used = HpackInteger.Read(block, 7, out var index);
        if (used == 0 || index == 0)
            return 0;
        if (index <= StaticTable.Count)
        {
            Give(sink, StaticTable.Name(index), StaticTable.Value(index), StaticTable.Info(index), false, ref size);
            return used;
        }

        index -= StaticTable.Count + 1;
        if (index >= _table.Count)
            return 0;
        Give(sink, _table.Name(index), _table.Value(index), _table.Info(index), false, ref size);
        return used;
    }

    private int Literal(ReadOnlySpan<byte> block, int prefixBits, bool insert, bool neverIndexed, FieldSink sink, ref long size)
    {
        var at = HpackInteger.Read(block, prefixBits, out var index);
        if (at == 0)
            return 0;
        ReadOnlySpan<byte> name;
        FieldInfo info;
        if (index == 0)
        {
            var used = Text(block[at..], ref _name, out name);
            if (used == 0)
                return 0;
            at += used;
            info = FieldInfo.OfName(name);
        }
        else if (index <= StaticTable.Count)
        {
            name = StaticTable.Name(index);
            info = StaticTable.Info(index);
        }
        else
        {
            index -= StaticTable.Count + 1;
            if (index >= _table.Count)
                return 0;
            name = _table.Name(index);
            info = _table.Info(index);
            if (insert)
                name = Copy(name);
        }

        var valueUsed = Text(block[at..], ref _value, out var value);
        if (valueUsed == 0)
            return 0;
        info = info.WithValue(value);
        Give(sink, name, value, info, neverIndexed, ref size);
        if (insert)
            _table.Insert(name, value, info);
        return at + valueUsed;
    }

    private int SizeUpdate(ReadOnlySpan<byte> block)
    {
        var used = HpackInteger.Read(block, 5, out var size);
        if (used == 0 || size > tableLimit)
            return 0;
        _table.Resize(size);
        return used;
    }

    private static int Text(ReadOnlySpan<byte> from, ref byte[] scratch, out ReadOnlySpan<byte> text)
    {
        text = default;
        var at = HpackInteger.Read(from, 7, out var length);
        if (at == 0 || length > from.Length - at)
            return 0;
        var encoded = from.Slice(at, length);
        if ((from[0] & 0x80) == 0)
        {
            text = encoded;
            return at + length;
        }

        var longest = HuffmanCode.LongestDecoded(length);
        if (scratch.Length < longest)
            scratch = new byte[Math.Max(longest, 256)];
        var decoded = HuffmanCode.Decode(encoded, scratch);
        if (decoded < 0)
            return 0;
        text = scratch.AsSpan(0, decoded);
        return at + length;
    }

    private ReadOnlySpan<byte> Copy(ReadOnlySpan<byte> name)
    {
        if (_name.Length < name.Length)
            _name = new byte[Math.Max(name.Length, 64)];
        name.CopyTo(_name);
        return _name.AsSpan(0, name.Length);
    }

    private static void Give(FieldSink sink, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, FieldInfo info, bool neverIndexed, ref long size)
    {
        size += name.Length + value.Length + DynamicTable.EntryOverhead;
        sink.OnField(name, value, info, neverIndexed);
    }
}
