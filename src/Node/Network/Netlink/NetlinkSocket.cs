using System.Runtime.InteropServices;
using Weft.Node.Interop;

namespace Weft.Node.Network.Netlink;

/// <summary>
/// Asks the kernel for changes of links, addresses and routes (rtnetlink(7)), one after the other. It belongs to the network namespace in which its
/// thread was when it was made, wherever it is used from. Not for two threads at once.
/// </summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    private const int ErrorType = 2;
    private readonly int _fd;
    private readonly byte[] _answer = new byte[32 * 1024];   // netlink(7): a message of the kernel is at most this
    private uint _sequence;

    public NetlinkSocket()
    {
        const int Netlink = 16, Raw = 3, CloseOnExec = 0x80000, Route = 0;
        _fd = Libc.Check(Libc.socket(Netlink, Raw | CloseOnExec, Route), "open a netlink socket");
    }

    /// <returns>The fixed part and attributes of the object asked for; empty when the request only changes something.</returns>
    /// <exception cref="IOException">The kernel refused; the message says what and why.</exception>
    public ReadOnlySpan<byte> Ask(NetlinkMessage message, string what) =>
        TryAsk(message, what, out var answer) is var errno && errno == 0 ? answer : throw Libc.Failure(what, errno);

    /// <returns>0, or the kernel's reason (errno).</returns>
    public int TryAsk(NetlinkMessage message, string what) => TryAsk(message, what, out _);

    private int TryAsk(NetlinkMessage message, string what, out ReadOnlySpan<byte> answer)
    {
        answer = default;
        var sent = message.Finish(++_sequence);
        fixed (byte* p = sent)
        {
            if (Libc.send(_fd, p, (nuint)sent.Length, 0) < 0)
                throw Libc.Failure(what, Libc.Errno);
        }

        byte[]? copy = null;
        while (true)
        {
            var received = Receive(what);
            for (var offset = 0; offset + NetlinkMessage.HeaderLength <= received;)
            {
                var length = Number(offset);
                if (length < NetlinkMessage.HeaderLength || length > received - offset)
                    throw new IOException($"{what}: the kernel's answer is not a netlink message");
                if ((uint)Number(offset + 8) == _sequence)
                {
                    if (MemoryMarshal.Read<ushort>(_answer.AsSpan(offset + 4)) == ErrorType)
                    {
                        answer = copy;
                        return -Number(offset + NetlinkMessage.HeaderLength);   // 0 is the acknowledgement
                    }
                    copy ??= _answer[(offset + NetlinkMessage.HeaderLength)..(offset + length)];
                }
                offset += (length + 3) & ~3;
            }
        }
    }

    private int Receive(string what)
    {
        fixed (byte* p = _answer)
        {
            nint received;
            while ((received = Libc.recv(_fd, p, (nuint)_answer.Length, 0)) < 0)
            {
                if (Libc.Errno != Libc.Eintr)
                    throw Libc.Failure(what, Libc.Errno);
            }
            return (int)received;
        }
    }

    private int Number(int offset) => MemoryMarshal.Read<int>(_answer.AsSpan(offset));

    public void Dispose() => _ = Libc.close(_fd);
}
