using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Weft.Proxy.Transport.Interop;

/// <summary>Calls on non-blocking sockets, over spans. Negative results are negated error numbers.</summary>
internal static unsafe class SocketCalls
{
    public static int Receive(int fd, Span<byte> buffer)
    {
        fixed (byte* to = buffer)
        {
            nint got;
            do
                got = Libc.recv(fd, to, (nuint)buffer.Length, 0);
            while (got < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr);
            return got >= 0 ? (int)got : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>What waits to be read, and goes on waiting.</summary>
    public static int Peek(int fd, Span<byte> buffer)
    {
        fixed (byte* to = buffer)
        {
            nint got;
            do
                got = Libc.recv(fd, to, (nuint)buffer.Length, Libc.MsgPeek);
            while (got < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr);
            return got >= 0 ? (int)got : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Two ends of one stream within this process; null: there is no descriptor left.</summary>
    public static (int One, int Other)? Pair()
    {
        var pair = stackalloc int[2];
        return Libc.socketpair(Libc.AfUnix, Libc.SockStream | Libc.SockNonblock | Libc.SockCloexec, 0, pair) == 0 ? (pair[0], pair[1]) : null;
    }

    /// <summary>A byte, or the end, waits to be read.</summary>
    public static bool HasUnread(int fd)
    {
        byte one;
        return Libc.recv(fd, &one, 1, Libc.MsgPeek) >= 0;
    }

    public static int Send(int fd, ReadOnlySpan<byte> data)
    {
        fixed (byte* from = data)
        {
            nint sent;
            do
                sent = Libc.send(fd, from, (nuint)data.Length, Libc.MsgNoSignal);
            while (sent < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr);
            return sent >= 0 ? (int)sent : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Both, in this order. The process ignores SIGPIPE, as .NET does.</summary>
    public static int Send(int fd, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        fixed (byte* a = first, b = second)
        {
            var vectors = stackalloc Libc.IoVector[2];
            vectors[0] = new() { Base = a, Length = (nuint)first.Length };
            vectors[1] = new() { Base = b, Length = (nuint)second.Length };
            nint sent;
            do
                sent = Libc.writev(fd, vectors, 2);
            while (sent < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr);
            return sent >= 0 ? (int)sent : -Marshal.GetLastPInvokeError();
        }
    }

    /// <param name="address">Room for <see cref="Libc.AddressBytes"/>; the peer's address.</param>
    public static int Accept(int listener, Span<byte> address, out int addressLength)
    {
        fixed (byte* to = address)
        {
            var length = (uint)address.Length;
            int fd;
            do
                fd = Libc.accept4(listener, to, &length, Libc.SockNonblock | Libc.SockCloexec);
            while (fd < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr);
            addressLength = (int)length;
            return fd >= 0 ? fd : -Marshal.GetLastPInvokeError();
        }
    }

    /// <param name="from">Room for <see cref="Libc.AddressBytes"/>; the sender's address.</param>
    public static int ReceiveFrom(int fd, Span<byte> buffer, Span<byte> from, out int fromLength)
    {
        fixed (byte* to = buffer, address = from)
        {
            var length = (uint)from.Length;
            nint got;
            do
                got = Libc.recvfrom(fd, to, (nuint)buffer.Length, 0, address, &length);
            while (got < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr);
            fromLength = (int)length;
            return got >= 0 ? (int)got : -Marshal.GetLastPInvokeError();
        }
    }

    public static int SendTo(int fd, ReadOnlySpan<byte> data, ReadOnlySpan<byte> to)
    {
        fixed (byte* from = data, address = to)
        {
            nint sent;
            do
                sent = Libc.sendto(fd, from, (nuint)data.Length, Libc.MsgNoSignal, address, (uint)to.Length);
            while (sent < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr);
            return sent >= 0 ? (int)sent : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>A datagram socket that only hears, and only speaks to, one address.</summary>
    public static int ConnectDatagrams(SocketAddress address) => Connect(address, Libc.SockDgram);

    /// <summary>A socket whose connection is being made (or stands, or has failed: the first event tells).</summary>
    /// <param name="source">The address that it leaves with, which need not be this machine's (IP_TRANSPARENT, which takes CAP_NET_ADMIN); null: the kernel's choice.</param>
    /// <param name="mark">Of all of its packets (SO_MARK, which takes CAP_NET_ADMIN); 0: none.</param>
    public static int Connect(SocketAddress address, SocketAddress? source = null, int mark = 0)
    {
        var fd = Connect(address, Libc.SockStream, source, mark);
        if (fd >= 0)
            NoDelay(fd);
        return fd;
    }

    /// <summary>To be bound to; a client of a socket for both families is one of IPv4 all the same.</summary>
    public static SocketAddress AnyPort(IPAddress address) => new IPEndPoint(address.Plain(), 0).Serialize();

    private static int Connect(SocketAddress address, int type, SocketAddress? source = null, int mark = 0)
    {
        var fd = Libc.socket(Domain(address), type | Libc.SockNonblock | Libc.SockCloexec, 0);
        if (fd < 0)
            return -Marshal.GetLastPInvokeError();
        if ((mark == 0 || Mark(fd, mark)) && (source is null || BindTo(fd, source)))
        {
            fixed (byte* to = address.Buffer.Span)
            {
                if (Libc.connect(fd, to, (uint)address.Size) == 0 || Marshal.GetLastPInvokeError() == Libc.Einprogress)
                    return fd;
            }
        }

        var error = Marshal.GetLastPInvokeError();
        Close(fd);
        return -error;
    }

    // The port is chosen with the connection, when the other side is known: one port of the client serves for many endpoints.
    private static bool BindTo(int fd, SocketAddress source)
    {
        if (!Transparent(fd, Domain(source)) || !Set(fd, Libc.IpProtoIp, Libc.IpBindAddressNoPort, 1))
            return false;
        fixed (byte* from = source.Buffer.Span)
            return Libc.bind(fd, from, (uint)source.Size) == 0;
    }

    /// <summary>The socket may have addresses that are not this machine's. Before it is bound.</summary>
    /// <param name="domain"><see cref="Libc.AfInet"/> or <see cref="Libc.AfInet6"/>.</param>
    public static bool Transparent(int fd, int domain) =>
        domain == Libc.AfInet6 ? Set(fd, Libc.IpProtoIpv6, Libc.Ipv6Transparent, 1) : Set(fd, Libc.IpProtoIp, Libc.IpTransparent, 1);

    public static bool Mark(int fd, int mark) => Set(fd, Libc.SolSocket, Libc.SoMark, mark);

    /// <summary>What the kernel has against sockets with a mark, or with addresses that are not this machine's; null: nothing.</summary>
    public static string? RefusalOf(int mark)
    {
        var fd = Libc.socket(Libc.AfInet, Libc.SockStream | Libc.SockCloexec, 0);
        if (fd < 0)
            return $"socket: {Marshal.GetLastPInvokeErrorMessage()}";
        var refusal = mark != 0 && !Mark(fd, mark) ? $"SO_MARK: {Marshal.GetLastPInvokeErrorMessage()}"
            : !Transparent(fd, Libc.AfInet) ? $"IP_TRANSPARENT: {Marshal.GetLastPInvokeErrorMessage()}" : null;
        Close(fd);
        return refusal;
    }

    /// <summary>TCP's own probes, in whole seconds. On a listening socket: for what is accepted from now on.</summary>
    /// <param name="idle">0: none.</param>
    public static void KeepAlive(int fd, int idle, int interval, int probes)
    {
        Set(fd, Libc.SolSocket, Libc.SoKeepAlive, idle > 0 ? 1 : 0);
        if (idle <= 0)
            return;
        Set(fd, Libc.IpProtoTcp, Libc.TcpKeepIdle, idle);
        Set(fd, Libc.IpProtoTcp, Libc.TcpKeepInterval, interval);
        Set(fd, Libc.IpProtoTcp, Libc.TcpKeepCount, probes);
    }

    private static int Domain(SocketAddress address) => (int)address.Family == (int)AddressFamily.InterNetworkV6 ? Libc.AfInet6 : Libc.AfInet;

    private static bool Set(int fd, int level, int name, int value) => Libc.setsockopt(fd, level, name, &value, sizeof(int)) == 0;

    public static void NoDelay(int fd) => _ = Set(fd, Libc.IpProtoTcp, Libc.TcpNoDelay, 1);

    /// <summary>The error that waits on the socket; 0: none. Asking takes it away.</summary>
    public static int Error(int fd)
    {
        int error;
        uint length = sizeof(int);
        return Libc.getsockopt(fd, Libc.SolSocket, Libc.SoError, &error, &length) == 0 ? error : Marshal.GetLastPInvokeError();
    }

    public static void ShutdownWriting(int fd) => _ = Libc.shutdown(fd, Libc.ShutWr);

    public static void Close(int fd) => _ = Libc.close(fd);

    /// <summary>Closes so that the peer hears of a reset, and no end. The other end of a pair hears that it is gone as a whole.</summary>
    public static void Reset(int fd)
    {
        var none = new Libc.Linger { On = 1, Seconds = 0 };
        _ = Libc.setsockopt(fd, Libc.SolSocket, Libc.SoLinger, &none, (uint)sizeof(Libc.Linger));
        Close(fd);
    }

    /// <summary>A descriptor that stands for nothing: kept so that one is free when all others are used up.</summary>
    public static int Spare() => Libc.open("/dev/null", Libc.ORdonly | Libc.OCloexec);

    public static IPEndPoint? EndPoint(ReadOnlySpan<byte> address)
    {
        if (address.Length < 8)
            return null;
        var family = MemoryMarshal.Read<ushort>(address);
        var port = (address[2] << 8) | address[3];
        return family switch
        {
            Libc.AfInet => new(new IPAddress(address.Slice(4, 4)), port),
            Libc.AfInet6 when address.Length >= 24 => new(new IPAddress(address.Slice(8, 16)), port),
            _ => null,
        };
    }

    /// <summary>The address that the client dialled: with a transparent socket that is not the listener's.</summary>
    public static IPEndPoint? LocalEndPoint(int fd)
    {
        Span<byte> address = stackalloc byte[Libc.AddressBytes];
        fixed (byte* to = address)
        {
            var length = (uint)address.Length;
            return Libc.getsockname(fd, to, &length) == 0 ? EndPoint(address[..(int)Math.Min(length, (uint)address.Length)]) : null;
        }
    }
}
