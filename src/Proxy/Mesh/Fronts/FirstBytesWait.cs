using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>An accepted socket whose first bytes are waited for, and left in it.</summary>
internal sealed class FirstBytesWait : IPollable
{
    // A client that says nothing for so long waits for the server; every protocol in which the server speaks first is late by as much, once for each connection (Istio's default
    // was 100 ms, until it gave up waiting).
    private const int QuietMilliseconds = 200;

    // For the rest of a word that has begun.
    private const int WordMilliseconds = 5_000;
    private readonly EventLoop _loop;
    private readonly int _fd, _slot;
    private readonly Action<FirstBytesWait, Spoken> _done;
    private readonly LoopTimer _timer;
    private bool _begun, _over;

    /// <param name="fd">Is the caller's again when it is told.</param>
    public FirstBytesWait(EventLoop loop, int fd, Action<FirstBytesWait, Spoken> done)
    {
        (_loop, _fd, _done) = (loop, fd, done);
        _timer = new LoopTimer(loop.Timers, OnTimer);
        _timer.Set(loop.Now + QuietMilliseconds);
        _slot = loop.Register(fd, this, Libc.EpollIn | Libc.EpollRdHup | Libc.EpollEdge);
    }

    public int Descriptor => _fd;

    public void OnEvents(uint events)
    {
        if (Look() is not { } spoken)
            return;
        if (spoken == Spoken.Unknown && (events & (Libc.EpollRdHup | Libc.EpollHup)) != 0)
            spoken = Spoken.Other;
        if (spoken != Spoken.Unknown)
        {
            End(spoken);
            return;
        }

        if (!_begun)
            Begin();
    }

    /// <summary>Nobody waits any more; nothing is told.</summary>
    public void Cancel()
    {
        if (_over)
            return;
        _over = true;
        _timer.Dispose();
        _loop.Unregister(_slot, _fd);
    }

    // A loop that was busy for so long has not seen yet what has come meanwhile.
    private void OnTimer()
    {
        var spoken = Look();
        if (spoken == Spoken.Unknown && !_begun)
            Begin();
        else
            End(spoken is null or Spoken.Unknown ? Spoken.Other : spoken.Value);
    }

    private void Begin()
    {
        _begun = true;
        _timer.Set(_loop.Now + WordMilliseconds);
    }

    // Null: nothing has come.
    private Spoken? Look()
    {
        Span<byte> bytes = stackalloc byte[FirstBytes.Enough];
        var got = _loop.Sockets.Peek(_fd, bytes);
        // The end, or an error, is for whoever reads next.
        return got == -Libc.Eagain ? null : got <= 0 ? Spoken.Other : FirstBytes.Of(bytes[..got]);
    }

    private void End(Spoken spoken)
    {
        if (_over)
            return;
        Cancel();
        _done(this, spoken);
    }
}
