using System.IO.Pipelines;

namespace Weft.ApiServer.Streaming.Spdy;

/// <summary>
/// One stream of a connection, as a .NET stream: reads return 0 after the peer's FIN, writes become data frames. A reader that is slow fills the
/// buffer and then stops the whole connection (TCP pushes back on the peer); bytes for a reader that is gone are dropped.
/// </summary>
internal sealed class SpdyStream : Stream
{
    private readonly SpdyConnection _connection;
    private readonly Pipe _received = new(new PipeOptions(
        pauseWriterThreshold: SpdyLimits.StreamBuffer, resumeWriterThreshold: SpdyLimits.StreamBuffer / 2, useSynchronizationContext: false));
    private readonly CancellationTokenSource _reset = new();
    private readonly Lock _gate = new();
    private volatile bool _sentFin;
    private volatile bool _receivedFin;

    public SpdyStream(SpdyConnection connection, int id, SpdyHeaders headers, int sendWindow)
    {
        _connection = connection;
        Id = id;
        Headers = headers;
        Window = new SendWindow(sendWindow);
    }

    public int Id { get; }

    public SpdyHeaders Headers { get; }

    public SendWindow Window { get; }

    /// <summary>Cancelled when the peer resets the stream or the connection ends.</summary>
    public CancellationToken Aborted => _reset.Token;

    /// <summary>The peer has sent all it will.</summary>
    public bool HasEnded => _receivedFin;

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Answers SYN_STREAM. Until then a client waits; kubectl gives up after 30 seconds.</summary>
    public Task AcceptAsync(CancellationToken cancellationToken) => _connection.ReplyAsync(this, cancellationToken);

    /// <summary>Sends FIN: nothing is written after it.</summary>
    public async Task CompleteWritesAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_sentFin || _reset.IsCancellationRequested)
                return;
            _sentFin = true;
        }

        await _connection.WriteDataAsync(this, ReadOnlyMemory<byte>.Empty, fin: true, cancellationToken);
        RemoveIfDone();
    }

    /// <summary>Ends both directions at once.</summary>
    public async Task ResetAsync(SpdyReset status, CancellationToken cancellationToken)
    {
        if (Abort(fromReadLoop: false))
            await _connection.WriteResetAsync(Id, status, cancellationToken);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0)
            return 0;
        var result = await _received.Reader.ReadAsync(cancellationToken);
        if (result.IsCanceled)
            throw new IOException($"SPDY stream {Id} was reset");
        var bytes = result.Buffer;
        var take = (int)Math.Min(bytes.Length, buffer.Length);
        var taken = bytes.Slice(0, take);
        System.Buffers.BuffersExtensions.CopyTo(taken, buffer.Span);
        _received.Reader.AdvanceTo(taken.End);
        if (take > 0)
            await _connection.ConsumedAsync(this, take, _receivedFin, cancellationToken);
        return take;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            lock (_gate)
            {
                if (_sentFin || _reset.IsCancellationRequested)
                    throw new IOException($"SPDY stream {Id} is closed");
            }

            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _reset.Token);
            var take = await _connection.TakeWindowAsync(this, Math.Min(buffer.Length, SpdyLimits.DataFrame), either.Token);
            await _connection.WriteDataAsync(this, buffer[..take], fin: false, cancellationToken);
            buffer = buffer[take..];
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask; // every write is sent at once

    public override void Flush()
    {
    }

    // Network streams of the API server are never used from blocking code.
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("use ReadAsync");
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("use WriteAsync");
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Nobody reads any more: what still arrives is dropped, so that it does not hold up other streams.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _received.Reader.Complete();
        base.Dispose(disposing);
    }

    /// <summary>Called by the connection's read loop only; waits while the reader is slow.</summary>
    internal async ValueTask ReceiveAsync(System.Buffers.ReadOnlySequence<byte> bytes, bool fin, CancellationToken cancellationToken)
    {
        if (_receivedFin || _reset.IsCancellationRequested)
            return;
        foreach (var segment in bytes)
        {
            var result = await _received.Writer.WriteAsync(segment, cancellationToken);
            if (result.IsCompleted)
            {
                // The reader has left: a peer that keeps windows must not wait for it.
                await _connection.ConsumedAsync(this, (int)bytes.Length, fin, cancellationToken);
                break;
            }
        }

        if (fin)
        {
            _receivedFin = true;
            await _received.Writer.CompleteAsync();
            RemoveIfDone();
        }
    }

    /// <summary>The peer's RST_STREAM or the end of the connection (both from the read loop), or our own RST_STREAM. True the first time.</summary>
    internal bool Abort(bool fromReadLoop)
    {
        lock (_gate)
        {
            if (_reset.IsCancellationRequested)
                return false;
            _connection.Remove(this);
            // The flag is set at once, callbacks run elsewhere: they may write to this connection.
            _ = _reset.CancelAsync();
        }

        // The writer of the pipe belongs to the read loop. What had arrived with FIN may still be read to its end.
        if (!fromReadLoop)
            _received.Reader.CancelPendingRead();
        else if (!_receivedFin)
            _received.Writer.Complete(new IOException($"SPDY stream {Id} was reset or its connection has ended"));
        return true;
    }

    private void RemoveIfDone()
    {
        if (_sentFin && _receivedFin)
            _connection.Remove(this);
    }
}
