using System.Runtime.InteropServices;

namespace Weft.Node.Interop;

/// <summary>
/// One thread in epoll_wait for everything the agent waits for outside sockets: ends of processes (pidfd), pipes, terminals.
/// A descriptor has one waiter at a time; who wants to read and write one waits on a duplicate.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    private readonly int _epoll = Libc.Check(Libc.epoll_create1(Libc.OCloexec), "epoll_create1");
    private readonly Dictionary<int, TaskCompletionSource> _waiters = [];
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private readonly int _wakeRead;
    private readonly int _wakeWrite;
    private bool _disposed;

    public unsafe EventLoop()
    {
        var fds = stackalloc int[2];
        Libc.Check(Libc.pipe2(fds, Libc.OCloexec | Libc.ONonblock), "pipe2");
        (_wakeRead, _wakeWrite) = (fds[0], fds[1]);
        Control(Libc.EpollAdd, _wakeRead, Libc.EpollIn);
        _thread = new Thread(Run) { IsBackground = true, Name = "weft-events" };
        _thread.Start();
    }

    /// <summary>Completes when the descriptor is readable (or at its end). The caller keeps it open until then, or cancels first.</summary>
    public Task WaitReadableAsync(int fd, CancellationToken cancellationToken) => WaitAsync(fd, Libc.EpollIn, cancellationToken);

    public Task WaitWritableAsync(int fd, CancellationToken cancellationToken) => WaitAsync(fd, Libc.EpollOut, cancellationToken);

    private async Task WaitAsync(int fd, int events, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _waiters.Add(fd, waiter);
            Control(Libc.EpollAdd, fd, events | Libc.EpollOneshot);
        }

        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (loop, fd, waiter) = ((EventLoop, int, TaskCompletionSource))state!;
                if (loop.Forget(fd, waiter))
                    waiter.TrySetCanceled(token);
            },
            (this, fd, waiter));
        await waiter.Task;
    }

    private bool Forget(int fd, TaskCompletionSource waiter)
    {
        lock (_gate)
        {
            if (!_waiters.TryGetValue(fd, out var current) || current != waiter)
                return false;
            _waiters.Remove(fd);
            if (!_disposed)
                Control(Libc.EpollDel, fd, 0);
            return true;
        }
    }

    private unsafe void Run()
    {
        const int Batch = 64;
        var size = IsPacked ? sizeof(Libc.EpollEventPacked) : sizeof(Libc.EpollEventPadded);
        var buffer = stackalloc byte[Batch * 16];
        while (true)
        {
            var count = Libc.epoll_wait(_epoll, buffer, Batch, -1);
            if (count < 0)
            {
                if (Libc.Errno == Libc.Eintr)
                    continue;
                throw Libc.Failure("epoll_wait", Libc.Errno);
            }

            for (var i = 0; i < count; i++)
            {
                var fd = (int)(IsPacked ? ((Libc.EpollEventPacked*)(buffer + i * size))->Data : ((Libc.EpollEventPadded*)(buffer + i * size))->Data);
                if (fd == _wakeRead)
                {
                    CloseAll();
                    return;
                }

                TaskCompletionSource? waiter;
                lock (_gate)
                {
                    if (_waiters.Remove(fd, out waiter))
                        Control(Libc.EpollDel, fd, 0);
                }
                waiter?.TrySetResult();
            }
        }
    }

    private void CloseAll()
    {
        List<TaskCompletionSource> waiters;
        lock (_gate)
        {
            _disposed = true;
            waiters = [.. _waiters.Values];
            _waiters.Clear();
        }
        foreach (var waiter in waiters)
            waiter.TrySetException(new ObjectDisposedException(nameof(EventLoop)));
    }

    // The kernel packs the event on x86-64 only.
    private static bool IsPacked => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    private unsafe void Control(int op, int fd, int events)
    {
        int result;
        if (IsPacked)
        {
            var e = new Libc.EpollEventPacked { Events = (uint)events, Data = (ulong)fd };
            result = Libc.epoll_ctl(_epoll, op, fd, &e);
        }
        else
        {
            var e = new Libc.EpollEventPadded { Events = (uint)events, Data = (ulong)fd };
            result = Libc.epoll_ctl(_epoll, op, fd, &e);
        }

        // A delete that finds nothing: the descriptor was closed by its owner after a cancelled wait.
        if (result < 0 && op != Libc.EpollDel)
            throw Libc.Failure("epoll_ctl", Libc.Errno);
    }

    public unsafe void Dispose()
    {
        byte one = 1;
        _ = Libc.write(_wakeWrite, &one, 1);
        _thread.Join();
        _ = Libc.close(_wakeRead);
        _ = Libc.close(_wakeWrite);
        _ = Libc.close(_epoll);
    }
}
