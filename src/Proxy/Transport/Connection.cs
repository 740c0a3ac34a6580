using System.Net;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Transport;

/// <summary>
/// A TCP connection on its loop, with or without TLS. Bytes are handed over from the loop's own buffer; only what the protocol leaves is kept. What is
/// written during an event is sent by one call at its end.
/// </summary>
internal sealed class Connection : ITransport, IPollable, ITurnTaker, IDisposable
{
    /// <summary>Beyond this a sender is to stop; it may go on below the other (measured with 64 KB bodies: smaller costs calls, larger only memory).</summary>
    public const int HighWatermark = 64 << 10, LowWatermark = 32 << 10;

    // What a protocol has not consumed. More than the largest head or frame, so that one that waits for the rest of it always gets it.
    private const int MaxPending = 128 << 10;

    // A copy is cheaper than a second call up to here.
    private const int WriteThrough = 8 << 10;

    // So much at a time for one connection; then the others have their turn.
    private const int ReadsPerTurn = 4;

    // How long what a client still sends is read and dropped after the last answer (nginx' lingering_timeout).
    private const int LingerMilliseconds = 5_000;

    private readonly EventLoop _loop;
    private readonly ByteQueue _in, _out;
    private readonly LoopTimer _timer;
    private readonly IConnectionWatcher? _watcher;
    private ByteQueue? _plainIn, _plainOut;
    private ITlsEngine? _tls;
    private LoopTimer? _openBy;
    private int _fd;
    private int _slot;
    private State _state;
    private bool _dirty, _queuedAgain, _yielded, _callAsked, _mayRead, _paused, _blocked, _ended, _shutdownAsked, _shutdownDone, _handedOver, _inHandler, _endNear, _lingers, _hungUp, _cuts;
    private int _lingerLeft;

    private enum State { Connecting, Handshaking, Open, Lingering, Closed }

    /// <param name="fd">Non-blocking; the connection's from here on.</param>
    /// <param name="connecting">The socket is still being connected.</param>
    public Connection(EventLoop loop, int fd, IPEndPoint? peer, bool connecting, ITlsEngine? tls = null, IConnectionWatcher? watcher = null)
    {
        (_loop, _fd, Peer, _tls, _watcher) = (loop, fd, peer, tls, watcher);
        (_in, _out) = (new(loop.Buffers), new(loop.Buffers));
        if (tls is not null)
            (_plainIn, _plainOut) = (new(loop.Buffers), new(loop.Buffers));
        _timer = new(loop.Timers, OnTimer);
        _state = connecting ? State.Connecting : tls is null ? State.Open : State.Handshaking;
        _slot = loop.Register(fd, this);
    }

    /// <summary>For how long the socket may be connecting and the handshake going on. Called once.</summary>
    public void OpenWithin(long milliseconds)
    {
        if (_state is not (State.Connecting or State.Handshaking))
            return;
        _openBy = new(_loop.Timers, Lost);
        _openBy.Set(_loop.Now + milliseconds);
    }

    /// <summary>What comes from now on is TLS: for an accepted connection whose first bytes were somebody else's (PROXY protocol).</summary>
    public void StartTls(ITlsEngine tls)
    {
        _tls = tls;
        (_plainIn, _plainOut) = (new(_loop.Buffers), new(_loop.Buffers));
        _state = State.Handshaking;
        Protocol = null;
    }

    /// <summary>Bytes in front of everything else, before TLS.</summary>
    public void WriteFirst(ReadOnlySpan<byte> data)
    {
        _out.Write(data);
        MarkDirty();
    }

    /// <summary>Set before the first event. A connection with TLS may get it when the handshake has told the protocol (<see cref="IConnectionWatcher.OnOpen"/>).</summary>
    public IProtocol? Protocol { get; set; }

    public EventLoop Loop => _loop;

    public ITlsEngine? Tls => _tls;

    public IPEndPoint? Peer { get; set; }

    public IPEndPoint? LocalEndPoint => _fd >= 0 && !LocalSockets.IsLocal(_fd) ? SocketCalls.LocalEndPoint(_fd) : null;

    /// <summary>
    /// Of one end of a pair within this process: the other end was closed as a whole without our having ended our direction, which says that the connection was cut, where TCP
    /// would send a reset.
    /// </summary>
    public bool HangUpIsLoss { get; init; }

    /// <summary>The other end of a pair was closed as a whole.</summary>
    public bool HasHungUp => _hungUp;

    public bool IsOpen => _state is State.Open;

    public bool IsClosed => _state is State.Closed or State.Lingering;

    public long Now => _loop.Now;

    public bool IsBlocked => _blocked;

    public bool HasUnread => _state == State.Open && (_mayRead || !Pending.IsEmpty || _loop.Sockets.HasUnread(_fd));

    public ByteQueue Output
    {
        get
        {
            MarkDirty();
            return _plainOut ?? _out;
        }
    }

    public void Write(ReadOnlySpan<byte> data)
    {
        if (data.Length < WriteThrough || _tls is not null || _state != State.Open || _blocked || _shutdownAsked)
            Output.Write(data);
        else
            SendThrough(data);
        Watermark();
    }

    public void PauseReading() => _paused = true;

    public void ResumeReading()
    {
        if (!_paused)
            return;
        _paused = false;
        QueueAgain();
    }

    public void OfferAgain()
    {
        if (!Pending.IsEmpty || _mayRead)
            QueueAgain();
    }

    public void CallAgain()
    {
        _callAsked = true;
        QueueAgain();
    }

    public void Yield()
    {
        _yielded = true;
        QueueAgain();
    }

    private void QueueAgain()
    {
        if (_queuedAgain || _state == State.Closed)
            return;
        _queuedAgain = true;
        _loop.GiveTurn(this);
    }

    public void SetTimeout(long at) => _timer.Set(at);

    public void ShutdownWriting()
    {
        _shutdownAsked = true;
        MarkDirty();
    }

    public void CloseGracefully(bool peerMaySend)
    {
        if (_state is State.Closed or State.Lingering)
            return;
        Protocol = null;
        _shutdownAsked = true;
        if (_state != State.Open)
        {
            Abort();
            return;
        }

        _state = State.Lingering;
        // Closed as a whole, one end of a pair says that the connection was cut: the other one is to end first.
        _lingers = peerMaySend || _mayRead || (HangUpIsLoss && LocalEndPoint is null);
        _timer.Set(_loop.Now + LingerMilliseconds);
        MarkDirty();
        if (_mayRead)
            QueueAgain();
    }

    public void Abort()
    {
        Protocol = null;
        CloseNow();
    }

    public void Leave()
    {
        if (HangUpIsLoss && _state == State.Open)
            CloseGracefully(peerMaySend: false);
        else
            Abort();
    }

    public void Reset()
    {
        Protocol = null;
        _cuts = true;
        CloseNow();
    }

    /// <summary>Sends what waits, and then resets: of an answer that was cut the client gets what there was of it.</summary>
    public void ResetGracefully()
    {
        if (_state != State.Open || (_out.IsEmpty && _plainOut is not { IsEmpty: false }))
        {
            if (_state != State.Lingering)
                Reset();
            return;
        }

        Protocol = null;
        (_state, _cuts) = (State.Lingering, true);
        _timer.Set(_loop.Now + LingerMilliseconds);
        MarkDirty();
    }

    /// <summary>Closes it from outside: its protocol hears that it is gone.</summary>
    public void Drop() => Lost();

    public void Dispose() => Abort();

    public void OnEvents(uint events)
    {
        if (_state == State.Connecting)
        {
            if (_loop.Sockets.Error(_fd) != 0 || (events & (Libc.EpollErr | Libc.EpollHup)) != 0)
            {
                Lost();
                return;
            }

            if ((events & Libc.EpollOut) == 0)
                return;
            MarkDirty();
            if (_tls is null)
                Opened();
            else
                _state = State.Handshaking;
        }

        _hungUp |= (events & Libc.EpollHup) != 0;
        // An error lies behind what was received before it (an early answer, then a reset): reading comes to it.
        if ((events & (Libc.EpollIn | Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0)
        {
            _mayRead = true;
            if ((events & (Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0)
                _endNear = true;
            Read();
        }

        if ((events & Libc.EpollOut) != 0 && (!_out.IsEmpty || _shutdownAsked))
            MarkDirty();
    }

    /// <summary>Sends what waits. Called at the end of each event.</summary>
    public void Flush()
    {
        _dirty = false;
        if (_state is State.Closed or State.Connecting)
            return;
        Encrypt();
        if (!_out.IsEmpty)
        {
            var sent = _loop.Sockets.Send(_fd, _out.Span);
            if (sent < 0 && sent != -Libc.Eagain)
            {
                Lost();
                return;
            }

            if (sent > 0)
                _out.Consume(sent);
        }

        if (_cuts && _out.IsEmpty)
        {
            CloseNow();
            return;
        }

        if (_shutdownAsked && _out.IsEmpty && _state is not State.Handshaking)
        {
            // Also one whose writing had ended long before: there is nothing that it would linger for.
            if (_state == State.Lingering && (_ended || !_lingers))
                CloseNow();
            else if (!_shutdownDone)
                _loop.Sockets.ShutdownWriting(_fd);
            _shutdownDone = true;
        }

        Watermark();
    }

    /// <summary>What the protocol left, or what was not read yet.</summary>
    public void TakeTurn()
    {
        (_queuedAgain, _yielded) = (false, false);
        if (_state == State.Closed)
            return;
        var asked = _callAsked;
        _callAsked = false;
        if (_state == State.Open && !_paused && !Pending.IsEmpty)
            Offer();
        else if (asked && _state == State.Open)
            Protocol?.OnData(default);
        if (_state == State.Closed)
            return;
        if (_mayRead)
            Read();
        else if (_ended)
            End();
    }

    private ByteQueue Pending => _plainIn ?? _in;

    private void Read()
    {
        for (var reads = 0; _mayRead && _state != State.Closed; reads++)
        {
            if (_state != State.Lingering && (_paused || _yielded || Pending.Length >= MaxPending))
                return; // ResumeReading, the next turn, or a consumed queue, comes back here
            if (reads == ReadsPerTurn)
            {
                QueueAgain();
                return;
            }

            var got = _loop.Sockets.Receive(_fd, _loop.ReadBuffer);
            if (got > 0)
            {
                // A short read means that there is no more, but for the end, which has no length.
                if (got < EventLoop.ReadBufferBytes && !_endNear)
                    _mayRead = false;
                Take(_loop.ReadBuffer.AsSpan(0, got));
            }
            else if (got == -Libc.Eagain)
            {
                _mayRead = false;
            }
            else if (got == 0 && !(HangUpIsLoss && _hungUp && !_shutdownAsked))
            {
                _mayRead = false;
                _ended = true;
                End();
            }
            else
            {
                _mayRead = false;
                Lost();
            }
        }
    }

    private void Take(ReadOnlySpan<byte> data)
    {
        if (_state == State.Lingering)
            return;
        if (_tls is not null)
        {
            TakeEncrypted(data);
            return;
        }

        if (_in.IsEmpty && Protocol is { } protocol && !_inHandler && !_paused && !_yielded)
        {
            _inHandler = true;
            var consumed = protocol.OnData(data);
            _inHandler = false;
            var rest = data[consumed..];
            if (rest.IsEmpty || IsClosed)
                return;
            // One protocol has made way for another: what it left is for that.
            if (_tls is not null || !ReferenceEquals(Protocol, protocol))
                Take(rest);
            else
                _in.Write(rest);
            return;
        }

        _in.Write(data);
        Offer();
    }

    private void TakeEncrypted(ReadOnlySpan<byte> data)
    {
        var fine = _tls!.Feed(data, _plainIn!);
        MarkDirty(); // the engine may have something for the peer
        if (_state == State.Handshaking)
            Handshake();
        if (_state == State.Open && !_plainIn!.IsEmpty)
            Offer();
        if (_tls.PeerClosed && !_ended && _state != State.Closed)
        {
            _ended = true;
            if (_plainIn!.IsEmpty || !_paused)
                End();
        }

        if (!fine && _state != State.Closed)
        {
            Flush(); // the alert
            Lost();
        }
    }

    private void Handshake()
    {
        MarkDirty();
        if (_tls!.State != TlsState.Open)
            return;
        Opened();
    }

    private void Opened()
    {
        _state = State.Open;
        _openBy?.Dispose();
        _watcher?.OnOpen(this);
    }

    // The queue grows at its end only while the protocol looks at its front.
    private void Offer()
    {
        var pending = Pending;
        while (!pending.IsEmpty && !_paused && !_yielded && !_inHandler && _state == State.Open && Protocol is { } protocol)
        {
            _inHandler = true;
            var consumed = protocol.OnData(pending.Span);
            _inHandler = false;
            if (IsClosed)
                return;
            pending.Consume(consumed);
            if (_tls is not null && pending == _in)
            {
                var rest = _in.Span.ToArray();
                _in.Clear();
                if (rest.Length > 0)
                    TakeEncrypted(rest);
                return;
            }

            if (consumed == 0 && ReferenceEquals(protocol, Protocol))
                return;
        }
    }

    private void End()
    {
        if (_state == State.Lingering)
        {
            if (_shutdownDone || _cuts)
                CloseNow();
            return;
        }

        if (_state == State.Handshaking)
        {
            Lost();
            return;
        }

        // Bytes that the protocol does not want yet come before the end of them.
        if (_handedOver || (!Pending.IsEmpty && (_paused || _yielded)))
            return;
        _handedOver = true;
        if (_tls is { PeerClosed: false })
            Lost(); // cut, not closed: what came cannot be taken for whole
        else
            Protocol?.OnEnd();
    }

    private void OnTimer()
    {
        if (_state == State.Lingering)
            Linger();
        else
            Protocol?.OnTimeout();
    }

    // A slow reader has the time it needs for the last answer, as long as it reads at all.
    private void Linger()
    {
        var left = _out.Length;
        if (left == 0 || left == _lingerLeft)
        {
            CloseNow();
            return;
        }

        _lingerLeft = left;
        _timer.Set(_loop.Now + LingerMilliseconds);
    }

    private void SendThrough(ReadOnlySpan<byte> data)
    {
        var sent = _out.IsEmpty ? _loop.Sockets.Send(_fd, data) : _loop.Sockets.Send(_fd, _out.Span, data);
        if (sent < 0)
        {
            // An error shows itself again at the next call, outside of the protocol's own.
            Output.Write(data);
            return;
        }

        var queued = Math.Min(sent, _out.Length);
        if (queued > 0)
            _out.Consume(queued);
        if (sent - queued < data.Length)
            Output.Write(data[(sent - queued)..]);
    }

    private void Encrypt()
    {
        if (_tls is null)
            return;
        if (_tls.State == TlsState.Open && !_plainOut!.IsEmpty)
        {
            _tls.Write(_plainOut.Span, _out);
            _plainOut.Clear();
        }

        if (_shutdownAsked && !_shutdownDone && _tls.State == TlsState.Open)
            _tls.Close();
        _tls.Drain(_out);
    }

    private void Watermark()
    {
        var waiting = _out.Length + (_plainOut?.Length ?? 0);
        if (!_blocked)
        {
            _blocked = waiting > HighWatermark;
        }
        else if (waiting <= LowWatermark)
        {
            _blocked = false;
            Protocol?.OnWritable();
        }
    }

    private void MarkDirty()
    {
        if (_dirty || _state == State.Closed)
            return;
        _dirty = true;
        _loop.MarkDirty(this);
    }

    private void Lost()
    {
        var protocol = Protocol;
        Protocol = null;
        CloseNow();
        protocol?.OnClosed();
    }

    private void CloseNow()
    {
        if (_state == State.Closed)
            return;
        _state = State.Closed;
        _loop.Unregister(_slot);
        if (_cuts)
            _loop.Sockets.Reset(_fd);
        else
            _loop.Sockets.Close(_fd);
        _fd = -1;
        _timer.Dispose();
        _openBy?.Dispose();
        _in.Dispose();
        _out.Dispose();
        _plainIn?.Dispose();
        _plainOut?.Dispose();
        _tls?.Dispose();
        _watcher?.OnGone(this);
    }
}

/// <summary>Who made a connection.</summary>
internal interface IConnectionWatcher
{
    /// <summary>The socket is connected, and the handshake done where there is one. Not called for an accepted connection without TLS: that is open from the start.</summary>
    void OnOpen(Connection connection);

    /// <summary>Closed, for whatever reason; called once, before the protocol hears of it.</summary>
    void OnGone(Connection connection);
}
