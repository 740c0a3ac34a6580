using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Weft.Proxy.Protobuf;

/// <summary>As much of the wire form of Protocol Buffers (protobuf.dev, "Encoding") as spans and questions to an authorizer need. Parts of unknown length are written beside and copied in.</summary>
internal sealed class ProtobufWriter
{
    private readonly ArrayBufferWriter<byte> _out = new();

    public ReadOnlyMemory<byte> Written => _out.WrittenMemory;

    public void Clear() => _out.ResetWrittenCount();

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint((ulong)field << 3 | 2);
        Varint((ulong)value.Length);
        _out.Write(value);
    }

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Message(int field, ProtobufWriter part) => Bytes(field, part.Written.Span);

    public void Number(int field, long value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)value);
    }

    public void Fixed64(int field, ulong value)
    {
        Varint((ulong)field << 3 | 1);
        BinaryPrimitives.WriteUInt64LittleEndian(_out.GetSpan(sizeof(ulong)), value);
        _out.Advance(sizeof(ulong));
    }

    private void Varint(ulong value)
    {
        var to = _out.GetSpan(10);
        var length = 0;
        for (; value > 0x7F; value >>= 7)
            to[length++] = (byte)(value | 0x80);
        to[length++] = (byte)value;
        _out.Advance(length);
    }
}
