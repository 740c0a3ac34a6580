using System.Net;
using System.Runtime.InteropServices;

namespace Weft.Proxy.Dns.Server;

/// <summary>
/// Waits for a datagram, and takes it without waiting. The two are apart so that a killed proxy loses nothing: a thread that is killed while it sleeps inside
/// recvfrom may, before it dies, still take a datagram that came meanwhile (the kernel looks into the queue before it looks for signals); one that sleeps
/// in poll takes none, and the next proxy finds it.
/// </summary>
internal static partial class UdpReceive
{
    private const short PollIn = 1, PollInvalid = 0x20;
    private const int DontWait = 0x40, Interrupted = 4;

    // So often a thread looks whether it should end.
    private const int WaitMilliseconds = 1000;

    /// <summary>False when the socket cannot be waited for any more.</summary>
    public static unsafe bool Wait(int descriptor)
    {
        var entry = new PollEntry { Descriptor = descriptor, Events = PollIn };
        return poll(&entry, 1, WaitMilliseconds) >= 0 ? (entry.Returned & PollInvalid) == 0 : Marshal.GetLastPInvokeError() == Interrupted;
    }

    /// <summary>False when there is none now: another thread was first, or what came was an error about an earlier answer.</summary>
    public static unsafe bool TryReceive(int descriptor, Span<byte> datagram, SocketAddress peer, out int length)
    {
        fixed (byte* to = datagram, from = peer.Buffer.Span)
        {
            var size = (uint)peer.Buffer.Length;
            length = (int)recvfrom(descriptor, to, (nuint)datagram.Length, DontWait, from, &size);
            if (length >= 0)
                peer.Size = (int)size;
            return length >= 0;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

#pragma warning disable IDE1006, SYSLIB1054 // the C library's own names
    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int poll(PollEntry* entries, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint recvfrom(int socket, byte* buffer, nuint length, int flags, byte* address, uint* addressLength);
#pragma warning restore IDE1006, SYSLIB1054
}
