using System.Runtime.InteropServices;
using Weft.Node.Interop;

namespace Weft.Node.Network.Nftables;

/// <summary>
/// Sends transactions to nf_tables. The kernel carries one out, or refuses it whole, before the call that sends it returns: its answers are there then.
/// The socket belongs to the network namespace of the thread that made it. Not for two threads at once.
/// </summary>
internal sealed unsafe class NftSocket : IDisposable
{
    /// <summary>A script that is longer is nft's: that long a change is most of the table.</summary>
    public const int LongestTransaction = 4 * 1024 * 1024;

    private const int HeaderLength = 16;
    private readonly int _fd;
    private readonly byte[] _answer = new byte[32 * 1024];   // netlink(7): a message of the kernel is at most this

    public NftSocket()
    {
        const int Netlink = 16, Raw = 3, CloseOnExec = 0x80000, Netfilter = 12, SocketLevel = 1, SendBufferForce = 32;
        _fd = Libc.Check(Libc.socket(Netlink, Raw | CloseOnExec, Netfilter), "open a netfilter socket");
        var size = 2 * LongestTransaction;
        Libc.Check(Libc.setsockopt(_fd, SocketLevel, SendBufferForce, &size, sizeof(int)), "give the netfilter socket a buffer");
    }

    /// <exception cref="IOException">The kernel refused; nothing of the script is in force.</exception>
    public void Send(NftScript script)
    {
        var last = script.LastSequence;
        var bytes = script.Seal();
        Forget();
        fixed (byte* p = bytes)
        {
            if (Libc.send(_fd, p, (nuint)bytes.Length, 0) < 0)
                throw Libc.Failure("send rules to the kernel", Libc.Errno);
        }

        var done = false;
        while (Receive() is > 0 and var received)
        {
            for (var offset = 0; offset + HeaderLength + 4 <= received;)
            {
                var length = Number(offset);
                if (length < HeaderLength + 4 || length > received - offset)
                    throw new IOException("the kernel's answer to rules is not a netlink message");
                const int ErrorType = 2;
                if (MemoryMarshal.Read<ushort>(_answer.AsSpan(offset + 4)) == ErrorType)
                {
                    var (errno, sequence) = (-Number(offset + HeaderLength), (uint)Number(offset + 8));
                    if (errno != 0)
                        throw Libc.Failure($"set the node's rules, at `{script.LineOf(sequence)}`", errno);
                    done |= sequence == last;
                }
                offset += (length + 3) & ~3;
            }
        }
        if (!done)
            throw new IOException("the kernel did not answer whether the rules are set");
    }

    // Answers to a transaction that was given up at its first error.
    private void Forget()
    {
        while (Receive() > 0)
        {
        }
    }

    private int Receive()
    {
        const int DontWait = 0x40;
        fixed (byte* p = _answer)
        {
            while (true)
            {
                var received = Libc.recv(_fd, p, (nuint)_answer.Length, DontWait);
                if (received >= 0)
                    return (int)received;
                if (Libc.Errno == Libc.Eagain)
                    return 0;
                if (Libc.Errno != Libc.Eintr)
                    throw Libc.Failure("read the kernel's answer to rules", Libc.Errno);
            }
        }
    }

    private int Number(int offset) => MemoryMarshal.Read<int>(_answer.AsSpan(offset));

    public void Dispose() => _ = Libc.close(_fd);
}
