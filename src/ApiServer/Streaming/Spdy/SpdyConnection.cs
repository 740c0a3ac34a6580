using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Threading.Channels;

namespace Weft.ApiServer.Streaming.Spdy;

/// <summary>
/// One end of a SPDY/3.1 session over a byte stream; the server's end unless told otherwise. <see cref="RunAsync"/> reads until the peer is gone; streams the peer opens come out of
/// <see cref="Accepted"/>. One slow stream stops reading for all of them: the clients' library keeps no windows, so the alternative is unbounded memory.
/// </summary>
internal sealed class SpdyConnection : IAsyncDisposable
{
    private readonly Stream _transport;
    private readonly TimeProvider _time;
    private readonly bool _isClient;
    private readonly SpdyFrameReader _reader = new();
    private readonly SpdyFrameWriter _writer = new();
    private readonly SemaphoreSlim _writeTurn = new(1, 1);
    private readonly ConcurrentDictionary<int, SpdyStream> _streams = new();
    private readonly Channel<SpdyStream> _accepted = Channel.CreateBounded<SpdyStream>(SpdyLimits.MaxStreams);
    private readonly CancellationTokenSource _closed = new();
    private readonly SendWindow _sessionWindow = new(SpdyLimits.InitialWindow);

    // Every so often a ping when nothing was heard, and the end after three without a word: a client whose machine vanished sends no FIN.
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(90);

    private TaskCompletionSource? _running;
    private int _peerWindow = SpdyLimits.InitialWindow;
    private volatile bool _peerKeepsWindows;
    private volatile bool _goingAway;
    private volatile bool _handling;
    private long _lastHeard;
    private int _lastPeerStream;
    private int _lastOwnStream;
    private uint _lastPing;

    public SpdyConnection(Stream transport, TimeProvider time, bool isClient = false)
    {
        _transport = transport;
        _time = time;
        _isClient = isClient;
        _lastPing = isClient ? uint.MaxValue : 0; // pings of the server are even (draft section 2.6.5)
        _lastOwnStream = isClient ? -1 : 0;
    }

    /// <summary>Streams the peer has opened. Whoever takes one accepts or resets it. Completed when the connection ends.</summary>
    public ChannelReader<SpdyStream> Accepted => _accepted.Reader;

    /// <summary>Cancelled when the connection has ended, by either side.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Reads until the peer closes, breaks the protocol (the exception), or <paramref name="cancellationToken"/> is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var input = PipeReader.Create(_transport, new StreamPipeReaderOptions(bufferSize: 32 * 1024, leaveOpen: true));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closed.Token);
        _lastHeard = _time.GetTimestamp();
        var pinging = PingAsync(stop);
        try
        {
            await ReadFramesAsync(input, stop.Token);
        }
        catch (SpdyException)
        {
            const int protocolError = 1;
            await TryWriteAsync(SpdyFrameWriter.GoAway(_lastPeerStream, protocolError));
            throw;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to end, or the peer fell silent.
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            // The peer is gone without a goodbye, or the transport was closed under us; for the streams that is the same as a goodbye.
        }
        finally
        {
            await stop.CancelAsync();
            await pinging;
            foreach (var stream in _streams.Values)
                stream.Abort(fromReadLoop: true);
            _accepted.Writer.TryComplete();
            await _closed.CancelAsync();
            await input.CompleteAsync();
            _running.SetResult();
        }
    }

    /// <summary>Opens a stream to the peer. Kubernetes' servers never do; tests and tunnels speak as the client.</summary>
    public async Task<SpdyStream> OpenAsync(SpdyHeaders headers, CancellationToken cancellationToken)
    {
        await _writeTurn.WaitAsync(cancellationToken);
        try
        {
            _lastOwnStream += 2;
            var stream = new SpdyStream(this, _lastOwnStream, headers, _peerWindow);
            _streams[stream.Id] = stream;
            await _transport.WriteAsync(_writer.SynStream(stream.Id, headers, fin: false), _closed.Token);
            await _transport.FlushAsync(_closed.Token);
            return stream;
        }
        finally
        {
            _writeTurn.Release();
        }
    }

    /// <summary>Announces windows: from then on the peer is told what was read, and its own windows are kept.</summary>
    public Task KeepWindowsAsync(CancellationToken cancellationToken)
    {
        _peerKeepsWindows = true;
        return WriteAsync(SpdyFrameWriter.InitialWindow(SpdyLimits.InitialWindow), cancellationToken);
    }

    /// <summary>Tells the peer that no new stream is taken. The caller then waits for <see cref="RunAsync"/>, so that the peer reads everything before the connection ends.</summary>
    public async Task GoAwayAsync()
    {
        _goingAway = true;
        await TryWriteAsync(SpdyFrameWriter.GoAway(_lastPeerStream, 0));
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        // A write may be on its way out with the compression context, and the read loop inside the other.
        await _writeTurn.WaitAsync();
        _writer.Dispose();
        _writeTurn.Release();
        if (_running is not null)
            await _running.Task;
        _reader.Dispose();
    }

    internal void Remove(SpdyStream stream) => _streams.TryRemove(stream.Id, out _);

    internal async Task ReplyAsync(SpdyStream stream, CancellationToken cancellationToken)
    {
        await _writeTurn.WaitAsync(cancellationToken);
        try
        {
            await SendAsync(_writer.SynReply(stream.Id, SpdyHeaders.None));
        }
        finally
        {
            _writeTurn.Release();
        }
    }

    internal Task WriteResetAsync(int streamId, SpdyReset status, CancellationToken cancellationToken) =>
        WriteAsync(SpdyFrameWriter.Reset(streamId, status), cancellationToken);

    internal async ValueTask<int> TakeWindowAsync(SpdyStream stream, int wanted, CancellationToken cancellationToken)
    {
        if (!_peerKeepsWindows)
            return wanted;
        stream.Window.Enforce();
        var taken = await stream.Window.TakeAsync(wanted, cancellationToken);
        var shared = await _sessionWindow.TakeAsync(taken, cancellationToken);
        if (shared < taken)
            stream.Window.TryGrow(taken - shared);
        return shared;
    }

    internal async Task WriteDataAsync(SpdyStream stream, ReadOnlyMemory<byte> data, bool fin, CancellationToken cancellationToken)
    {
        var frame = ArrayPool<byte>.Shared.Rent(SpdyFrameWriter.DataHeaderSize + data.Length);
        try
        {
            SpdyFrameWriter.DataHeader(frame, stream.Id, data.Length, fin);
            data.CopyTo(frame.AsMemory(SpdyFrameWriter.DataHeaderSize));
            await WriteAsync(frame.AsMemory(0, SpdyFrameWriter.DataHeaderSize + data.Length), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    internal async ValueTask ConsumedAsync(SpdyStream stream, int bytes, bool finished, CancellationToken cancellationToken)
    {
        if (!_peerKeepsWindows || bytes == 0)
            return;
        try
        {
            await WriteAsync(SpdyFrameWriter.WindowUpdate(0, bytes), cancellationToken);
            if (!finished)
                await WriteAsync(SpdyFrameWriter.WindowUpdate(stream.Id, bytes), cancellationToken);
        }
        catch (IOException)
        {
            // A peer that is gone needs no window, and what it sent before can still be read.
        }
    }

    private async Task ReadFramesAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            _handling = true;
            while (_reader.TryRead(ref buffer, out var frame))
                await HandleAsync(frame, cancellationToken);
            _handling = false;
            Volatile.Write(ref _lastHeard, _time.GetTimestamp());
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
                return;
        }
    }

    private async ValueTask HandleAsync(SpdyFrame frame, CancellationToken cancellationToken)
    {
        switch (frame)
        {
            case SpdyFrame.Data data:
                // Late bytes of a stream that has just ended here are dropped.
                if (_streams.TryGetValue(data.StreamId, out var target))
                    await target.ReceiveAsync(data.Bytes, data.Fin, cancellationToken);
                else if (data.StreamId > (IsPeers(data.StreamId) ? _lastPeerStream : Volatile.Read(ref _lastOwnStream)))
                    throw new SpdyException($"data on stream {data.StreamId}, which was never opened");
                break;
            case SpdyFrame.SynStream open:
                await OpenedAsync(open, cancellationToken);
                break;
            case SpdyFrame.SynReply { Fin: true } reply when _streams.TryGetValue(reply.StreamId, out var replied):
                await replied.ReceiveAsync(ReadOnlySequence<byte>.Empty, fin: true, cancellationToken);
                break;
            case SpdyFrame.MoreHeaders { Fin: true } more when _streams.TryGetValue(more.StreamId, out var stream):
                await stream.ReceiveAsync(ReadOnlySequence<byte>.Empty, fin: true, cancellationToken);
                break;
            case SpdyFrame.Reset reset when _streams.TryGetValue(reset.StreamId, out var stream):
                stream.Abort(fromReadLoop: true);
                break;
            case SpdyFrame.Ping ping when (ping.Id % 2 == 0) == _isClient: // the peer's, not the answer to ours
                await WriteAsync(SpdyFrameWriter.Ping(ping.Id), cancellationToken);
                break;
            case SpdyFrame.Settings { InitialWindow: { } window }:
                Resize(window);
                break;
            case SpdyFrame.WindowUpdate update:
                await GrowAsync(update, cancellationToken);
                break;
            case SpdyFrame.GoAway:
                _goingAway = true;
                break;
        }
    }

    private async ValueTask OpenedAsync(SpdyFrame.SynStream open, CancellationToken cancellationToken)
    {
        // Draft section 2.3.2: odd from clients, even from servers, ever growing.
        if (!IsPeers(open.StreamId) || open.StreamId <= _lastPeerStream)
            throw new SpdyException($"stream {open.StreamId} after {_lastPeerStream}");
        _lastPeerStream = open.StreamId;
        if (_goingAway || open.Unidirectional || _streams.Count >= SpdyLimits.MaxStreams)
        {
            await WriteResetAsync(open.StreamId, SpdyReset.RefusedStream, cancellationToken);
            return;
        }

        var stream = new SpdyStream(this, open.StreamId, open.Headers, _peerWindow);
        _streams[stream.Id] = stream;
        if (open.Fin)
            await stream.ReceiveAsync(ReadOnlySequence<byte>.Empty, fin: true, cancellationToken);
        if (!_accepted.Writer.TryWrite(stream))
            await stream.ResetAsync(SpdyReset.RefusedStream, cancellationToken);
    }

    private bool IsPeers(int streamId) => streamId % 2 == (_isClient ? 0 : 1);

    private void Resize(int window)
    {
        _peerKeepsWindows = true;
        _sessionWindow.Enforce();
        foreach (var stream in _streams.Values)
        {
            stream.Window.Enforce();
            if (!stream.Window.TryGrow(window - _peerWindow))
                throw new SpdyException("initial window too large");
        }

        _peerWindow = window;
    }

    private async ValueTask GrowAsync(SpdyFrame.WindowUpdate update, CancellationToken cancellationToken)
    {
        if (update.StreamId == 0)
        {
            if (!_sessionWindow.TryGrow(update.Delta))
                throw new SpdyException("session window beyond 2^31-1");
        }
        else if (_streams.TryGetValue(update.StreamId, out var stream) && !stream.Window.TryGrow(update.Delta))
        {
            stream.Abort(fromReadLoop: true);
            await WriteResetAsync(update.StreamId, SpdyReset.FlowControlError, cancellationToken);
        }
    }

    private async Task PingAsync(CancellationTokenSource stop)
    {
        using var timer = new PeriodicTimer(PingEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                var silence = _time.GetElapsedTime(Volatile.Read(ref _lastHeard));
                if (silence < PingEvery)
                    continue;
                // While a slow consumer holds reading back, silence says nothing; the ping still finds out whether the peer's machine answers TCP.
                if (!_handling && silence >= SilenceLimit)
                {
                    await stop.CancelAsync();
                    return;
                }

                _lastPing += 2;
                await WriteAsync(SpdyFrameWriter.Ping(_lastPing), stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The connection has ended.
        }
        catch (IOException)
        {
            await stop.CancelAsync();
        }
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        await _writeTurn.WaitAsync(cancellationToken);
        try
        {
            await SendAsync(frame);
        }
        finally
        {
            _writeTurn.Release();
        }
    }

    // Half a frame would break every other stream, so a write ends only with the connection.
    private async Task SendAsync(ReadOnlyMemory<byte> frame)
    {
        try
        {
            await _transport.WriteAsync(frame, _closed.Token);
            await _transport.FlushAsync(_closed.Token);
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            throw new IOException("the SPDY connection has ended");
        }
        catch (ObjectDisposedException closed)
        {
            throw new IOException("the SPDY connection has ended", closed);
        }
    }

    private async Task TryWriteAsync(ReadOnlyMemory<byte> frame)
    {
        try
        {
            await WriteAsync(frame, _closed.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // A goodbye to somebody who is gone already.
        }
    }
}
