using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Node.Network.Nftables;

/// <summary>
/// Messages of nf_tables in one buffer, between the two that make them one transaction. Numbers are those of the kernel's headers nfnetlink.h and
/// nf_tables.h; the values of attributes are in network order, headers in the machine's.
/// </summary>
internal sealed class NftMessages
{
    public const ushort NewChain = 3, DeleteChain = 5, NewRule = 6, DeleteRule = 8, NewSet = 9, DeleteSet = 11, NewElement = 12, DeleteElement = 14;
    public const ushort Create = 0x400, Append = 0x800;

    private const ushort Begin = 16, End = 17, Subsystem = 10, Request = 1, Acknowledge = 4, Nested = 0x8000;
    private const int HeaderLength = 16, AttributeHeader = 4;
    private const byte Inet = 2;
    private byte[] _bytes = new byte[4096];
    private int _length, _start;
    private uint _sequence;

    public NftMessages()
    {
        Header(Begin, 0, family: 0, resource: Subsystem);
        Finish();
    }

    /// <summary>Sequence number of the message that is being written, or was written last; the first of the transaction's own is 1.</summary>
    public uint Sequence => _sequence - 1;

    public int Length => _length;

    public NftMessages Open(ushort type, ushort flags)
    {
        Header((ushort)(Subsystem << 8 | type), flags, Inet, resource: 0);
        return this;
    }

    public void Finish() => MemoryMarshal.Write(_bytes.AsSpan(_start), _length - _start);

    /// <summary>The whole, whose last message of its own is answered when the kernel has done all; nothing can be added after.</summary>
    public ReadOnlySpan<byte> Seal()
    {
        var flags = MemoryMarshal.Read<ushort>(_bytes.AsSpan(_start + 6));
        MemoryMarshal.Write(_bytes.AsSpan(_start + 6), (ushort)(flags | Acknowledge));
        Header(End, 0, family: 0, resource: Subsystem);
        Finish();
        return _bytes.AsSpan(0, _length);
    }

    public NftMessages With(ushort type, ReadOnlySpan<byte> value)
    {
        var start = Attribute(type);
        value.CopyTo(Take(value.Length));
        Close(start);
        return this;
    }

    public NftMessages With(ushort type, uint value)
    {
        var start = Attribute(type);
        BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);
        Close(start);
        return this;
    }

    public NftMessages With(ushort type, string value)
    {
        var start = Attribute(type);
        Encoding.ASCII.GetBytes(value, Take(value.Length + 1));
        Close(start);
        return this;
    }

    /// <returns>What <see cref="Close"/> takes.</returns>
    public int Nest(ushort type) => Attribute((ushort)(type | Nested));

    // The length is that without the padding after the value.
    public void Close(int start)
    {
        var length = _length - start;
        if (length > ushort.MaxValue)
            throw new InvalidOperationException("an attribute of netlink is longer than 64 kB");   // the writer cuts lists before that
        MemoryMarshal.Write(_bytes.AsSpan(start), (ushort)length);
        Take(-_length & 3);
    }

    private int Attribute(ushort type)
    {
        var start = _length;
        MemoryMarshal.Write(Take(AttributeHeader)[2..], type);
        return start;
    }

    private void Header(ushort type, ushort flags, byte family, ushort resource)
    {
        _start = _length;
        var header = Take(HeaderLength + 4);
        MemoryMarshal.Write(header[4..], type);
        MemoryMarshal.Write(header[6..], (ushort)(flags | Request));
        MemoryMarshal.Write(header[8..], _sequence++);
        header[16] = family;
        BinaryPrimitives.WriteUInt16BigEndian(header[18..], resource);
    }

    private Span<byte> Take(int count)
    {
        if (_length + count > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        var taken = _bytes.AsSpan(_length, count);
        _length += count;
        return taken;
    }
}
