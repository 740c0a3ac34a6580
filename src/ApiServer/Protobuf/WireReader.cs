using System.Buffers.Binary;

namespace Weft.ApiServer.Protobuf;

/// <summary>A message that breaks the wire format or a limit.</summary>
internal sealed class ProtobufException(string message) : Exception(message);

/// <summary>Reads the fields of one message: https://protobuf.dev/programming-guides/encoding. Every length is checked against what is there.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    internal int Field { get; private set; }

    /// <summary>Of a varint or fixed field.</summary>
    internal ulong Number { get; private set; }

    /// <summary>Of a field with a length; empty otherwise.</summary>
    internal ReadOnlySpan<byte> Bytes { get; private set; }
    internal bool HasBytes { get; private set; }

    internal bool Next()
    {
        if (_rest.IsEmpty)
            return false;
        var key = Varint();
        if (key >> 3 is 0 or > int.MaxValue)
            throw new ProtobufException("a field number is out of range");
        Field = (int)(key >> 3);
        HasBytes = false;
        Bytes = default;
        Number = 0;
        switch (key & 7)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                Bytes = Take(Varint());
                HasBytes = true;
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw new ProtobufException("groups are not supported");
        }

        return true;
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
            throw new ProtobufException("a field is longer than its message");
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var i = 0; i < 10 && i < _rest.Length; i++)
        {
            value |= (ulong)(_rest[i] & 0x7F) << (7 * i);
            if (_rest[i] < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return value;
            }
        }

        throw new ProtobufException("a number does not end");
    }
}
