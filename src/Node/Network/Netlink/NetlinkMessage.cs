using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Node.Network.Netlink;

/// <summary>One request in the form of netlink(7): a header, the fixed part of its type, attributes, each padded to four bytes; numbers in the machine's order.</summary>
internal sealed class NetlinkMessage
{
    public const int HeaderLength = 16;
    private const int AttributeHeader = 4;
    private byte[] _bytes = new byte[256];
    private int _length = HeaderLength;

    public NetlinkMessage(ushort type, ushort flags, ReadOnlySpan<byte> fixedPart)
    {
        const ushort Request = 1, Acknowledge = 4;
        Put(4, type);
        Put(6, (ushort)(flags | Request | Acknowledge));
        fixedPart.CopyTo(Take(fixedPart.Length));
    }

    public NetlinkMessage With(ushort type, ReadOnlySpan<byte> value)
    {
        var start = Open(type);
        value.CopyTo(Take(value.Length));
        Close(start);
        return this;
    }

    public NetlinkMessage With(ushort type, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        MemoryMarshal.Write(bytes, value);
        return With(type, bytes);
    }

    public NetlinkMessage With(ushort type, string value) => With(type, Encoding.ASCII.GetBytes(value + "\0"));

    public NetlinkMessage With(ushort type, IPAddress value) => With(type, value.GetAddressBytes());

    /// <summary>An attribute whose value is <paramref name="fixedPart"/> and then the attributes that <paramref name="inner"/> adds.</summary>
    public NetlinkMessage Nest(ushort type, ReadOnlySpan<byte> fixedPart, Action<NetlinkMessage> inner)
    {
        var start = Open(type);
        fixedPart.CopyTo(Take(fixedPart.Length));
        inner(this);
        Close(start);
        return this;
    }

    /// <summary>The finished bytes; the message is not to be changed after.</summary>
    public ReadOnlySpan<byte> Finish(uint sequence)
    {
        Put(0, _length);
        Put(8, sequence);
        return _bytes.AsSpan(0, _length);
    }

    private int Open(ushort type)
    {
        var start = _length;
        Take(AttributeHeader);
        Put(start + 2, type);
        return start;
    }

    // The length is that without the padding after the value.
    private void Close(int start)
    {
        Put(start, (ushort)(_length - start));
        Take(-_length & 3);
    }

    private Span<byte> Take(int count)
    {
        if (_length + count > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        var taken = _bytes.AsSpan(_length, count);
        _length += count;
        return taken;
    }

    private void Put<T>(int offset, T value) where T : unmanaged => MemoryMarshal.Write(_bytes.AsSpan(offset), value);
}
