using System.Buffers.Binary;

namespace Weft.Proxy.Protobuf;

/// <summary>Fields of a message one after the other (protobuf.dev, "Encoding"), from bytes that anybody may have written. Groups, which nobody uses, are taken for damage.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>Of the field that was read.</summary>
    public int Field { get; private set; }

    /// <summary>Of a number; 0 for others.</summary>
    public ulong Number { get; private set; }

    /// <summary>Of a text, bytes or a message; empty for others.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The message cannot be read to its end.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>False at the end, and where the message is damaged.</summary>
    public bool Read()
    {
        if (_rest.IsEmpty || IsDamaged)
            return false;
        Number = 0;
        Bytes = default;
        if (!Varint(out var tag) || tag >> 3 is 0 or > int.MaxValue)
            return Damaged();
        Field = (int)(tag >> 3);
        switch (tag & 7)
        {
            case 0:
                if (!Varint(out var number))
                    return Damaged();
                Number = number;
                return true;
            case 1 when _rest.Length >= sizeof(ulong):
                Number = BinaryPrimitives.ReadUInt64LittleEndian(_rest);
                _rest = _rest[sizeof(ulong)..];
                return true;
            case 2:
                if (!Varint(out var length) || length > (ulong)_rest.Length)
                    return Damaged();
                Bytes = _rest[..(int)length];
                _rest = _rest[(int)length..];
                return true;
            case 5 when _rest.Length >= sizeof(uint):
                Number = BinaryPrimitives.ReadUInt32LittleEndian(_rest);
                _rest = _rest[sizeof(uint)..];
                return true;
            default:
                return Damaged();
        }
    }

    private bool Damaged()
    {
        IsDamaged = true;
        return false;
    }

    private bool Varint(out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10 && i < _rest.Length; i++)
        {
            value |= (ulong)(_rest[i] & 0x7F) << (7 * i);
            if (_rest[i] >= 0x80)
                continue;
            _rest = _rest[(i + 1)..];
            return true;
        }

        return false;
    }
}
