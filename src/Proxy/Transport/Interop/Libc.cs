using System.Runtime.InteropServices;

namespace Weft.Proxy.Transport.Interop;

/// <summary>The system calls of the loop. Numbers are those of Linux on x86-64 and arm64, which agree in all that is used here.</summary>
internal static unsafe partial class Libc
{
    public const uint EpollIn = 1, EpollOut = 4, EpollErr = 8, EpollHup = 16, EpollRdHup = 0x2000, EpollEdge = 1u << 31;
    public const int EpollAdd = 1, EpollDel = 2;
    public const int EpollCloexec = 0x80000, EventCloexec = 0x80000, EventNonblock = 0x800;
    public const int SockStream = 1, SockDgram = 2, SockNonblock = 0x800, SockCloexec = 0x80000;
    public const int AfUnix = 1, AfInet = 2, AfInet6 = 10;
    public const int SolSocket = 1, SoError = 4, SoKeepAlive = 9, SoLinger = 13, SoReusePort = 15, SoMark = 36;
    public const int IpProtoIp = 0, IpTransparent = 19, IpBindAddressNoPort = 24, IpProtoIpv6 = 41, Ipv6Transparent = 75;
    public const int IpProtoTcp = 6, TcpNoDelay = 1, TcpKeepIdle = 4, TcpKeepInterval = 5, TcpKeepCount = 6;
    public const int ShutWr = 1;
    public const int MsgPeek = 2, MsgNoSignal = 0x4000;
    public const int ORdonly = 0, OCloexec = 0x80000;
    public const int Eintr = 4, Eagain = 11, Enfile = 23, Emfile = 24, Epipe = 32, Econnaborted = 103, Econnreset = 104, Einprogress = 115;

    /// <summary>The largest socket address that is used: sockaddr_in6.</summary>
    public const int AddressBytes = 28;

    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Linger
    {
        public int On;
        public int Seconds;
    }

    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_create1(int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_ctl(int epoll, int operation, int fd, void* e);
    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_wait(int epoll, void* events, int max, int timeout);
    [LibraryImport("libc", SetLastError = true)] public static partial int eventfd(uint initial, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial nint read(SafeHandle fd, void* buffer, nuint count);
    [LibraryImport("libc", SetLastError = true)] public static partial nint write(SafeHandle fd, void* buffer, nuint count);
    [LibraryImport("libc", SetLastError = true)] public static partial nint recv(int fd, byte* buffer, nuint count, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial nint send(int fd, byte* buffer, nuint count, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial nint recvfrom(int fd, byte* buffer, nuint count, int flags, byte* address, uint* length);
    [LibraryImport("libc", SetLastError = true)] public static partial nint sendto(int fd, byte* buffer, nuint count, int flags, byte* address, uint length);
    [LibraryImport("libc", SetLastError = true)] public static partial nint writev(int fd, IoVector* vectors, int count);
    [LibraryImport("libc", SetLastError = true)] public static partial int accept4(int fd, byte* address, uint* length, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int socket(int domain, int type, int protocol);
    [LibraryImport("libc", SetLastError = true)] public static partial int socketpair(int domain, int type, int protocol, int* pair);
    [LibraryImport("libc", SetLastError = true)] public static partial int bind(int fd, byte* address, uint length);
    [LibraryImport("libc", SetLastError = true)] public static partial int connect(int fd, byte* address, uint length);
    [LibraryImport("libc", SetLastError = true)] public static partial int getsockopt(int fd, int level, int name, void* value, uint* length);
    [LibraryImport("libc", SetLastError = true)] public static partial int setsockopt(int fd, int level, int name, void* value, uint length);
    [LibraryImport("libc", SetLastError = true)] public static partial int getsockname(int fd, byte* address, uint* length);
    [LibraryImport("libc", SetLastError = true)] public static partial int shutdown(int fd, int how);
    [LibraryImport("libc", SetLastError = true)] public static partial int close(int fd);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int open(string path, int flags);
}
