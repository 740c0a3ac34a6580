using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weft.Proxy.Transport.Interop;

/// <summary>An epoll set. What comes back with an event is a number of the caller's choice.</summary>
internal sealed unsafe class Poller : IDisposable
{
    // The kernel packs the event on x86-64 only, to 12 bytes.
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventBytes - 8;

    private readonly int _set = Check(Libc.epoll_create1(Libc.EpollCloexec));

    // Others wake when they like, also when this is over: the number may be somebody else's by then, who would find eight bytes in what is theirs.
    private readonly SafeFileHandle _wake = new(Check(Libc.eventfd(0, Libc.EventCloexec | Libc.EventNonblock)), ownsHandle: true);
    private readonly byte[] _events = GC.AllocateArray<byte>(MaxEvents * EventBytes, pinned: true);

    private const int MaxEvents = 256;

    /// <summary>The number that an event of <see cref="Wake"/> bears.</summary>
    public const ulong WakeNumber = ulong.MaxValue;

    public Poller() => Add((int)_wake.DangerousGetHandle(), Libc.EpollIn | Libc.EpollEdge, WakeNumber);

    public void Add(int fd, uint events, ulong number)
    {
        ObjectDisposedException.ThrowIf(_wake.IsClosed, this);
        var e = stackalloc byte[16];
        *(uint*)e = events;
        Unsafe.WriteUnaligned(e + DataOffset, number);
        Check(Libc.epoll_ctl(_set, Libc.EpollAdd, fd, e));
    }

    /// <summary>Closing a descriptor takes it out only when nobody else has the same socket: one that another process holds as well has to be taken out.</summary>
    public void Remove(int fd)
    {
        if (_wake.IsClosed)
            return;
        var e = stackalloc byte[16]; // Linux before 2.6.9 wants one
        _ = Libc.epoll_ctl(_set, Libc.EpollDel, fd, e);
    }

    /// <summary>How many events there are; 0 after the time-out or an interruption.</summary>
    public int Wait(int milliseconds)
    {
        fixed (byte* events = _events)
            return Math.Max(0, Libc.epoll_wait(_set, events, MaxEvents, milliseconds));
    }

    public ulong Number(int index) => Unsafe.ReadUnaligned<ulong>(ref _events[(index * EventBytes) + DataOffset]);

    public uint Events(int index) => Unsafe.ReadUnaligned<uint>(ref _events[index * EventBytes]);

    /// <summary>Ends a wait, or the next one. From any thread, and at any time: when this is over, nothing happens.</summary>
    public void Wake()
    {
        if (_wake.IsClosed)
            return;
        ulong one = 1;
        try
        {
            _ = Libc.write(_wake, &one, 8);
        }
        catch (ObjectDisposedException)
        {
            // It has just ended: nobody waits.
        }
    }

    public void Woken()
    {
        ulong count;
        _ = Libc.read(_wake, &count, 8);
    }

    public void Dispose()
    {
        if (_wake.IsClosed)
            return;
        _wake.Dispose();
        _ = Libc.close(_set);
    }

    private static int Check(int result) => result >= 0 ? result : throw new IOException($"epoll: {Marshal.GetLastPInvokeErrorMessage()}");
}
