using System.Buffers;
using System.Text;

namespace Weft.ApiServer.OpenApi;

/// <summary>Protocol buffer encoding, as far as the OpenAPI document needs it: https://protobuf.dev/programming-guides/encoding.</summary>
internal sealed class ProtoMessage
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Bytes = 2;

    private readonly ArrayBufferWriter<byte> _buffer = new();

    internal ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    internal void Text(int field, string value)
    {
        Key(field, Bytes);
        var length = Encoding.UTF8.GetByteCount(value);
        Number((ulong)length);
        Encoding.UTF8.GetBytes(value, _buffer.GetSpan(length));
        _buffer.Advance(length);
    }

    internal void Message(int field, ProtoMessage value)
    {
        Key(field, Bytes);
        Number((ulong)value._buffer.WrittenCount);
        _buffer.Write(value._buffer.WrittenSpan);
    }

    internal void Flag(int field, bool value)
    {
        Key(field, Varint);
        Number(value ? 1UL : 0);
    }

    internal void Integer(int field, long value)
    {
        Key(field, Varint);
        Number((ulong)value);
    }

    internal void Real(int field, double value)
    {
        Key(field, Fixed64);
        System.Buffers.Binary.BinaryPrimitives.WriteDoubleLittleEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
    }

    private void Key(int field, int type) => Number((ulong)(field << 3 | type));

    private void Number(ulong value)
    {
        var span = _buffer.GetSpan(10);
        var length = 0;
        while (value >= 0x80)
        {
            span[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[length++] = (byte)value;
        _buffer.Advance(length);
    }
}
