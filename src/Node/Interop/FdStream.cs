namespace Weft.Node.Interop;

/// <summary>A pipe end or terminal as a stream, without a blocked thread. Reading and writing at once needs two (see <see cref="Duplicate"/>).</summary>
internal sealed class FdStream : Stream
{
    private readonly EventLoop _loop;
    private readonly CancellationTokenSource _drain = new();
    private int _fd;

    /// <summary>Takes the descriptor over and makes it non-blocking.</summary>
    public FdStream(EventLoop loop, int fd)
    {
        const int GetFlags = 3, SetFlags = 4;
        _loop = loop;
        _fd = fd;
        var flags = Libc.Check(Libc.fcntl(fd, GetFlags, 0), "fcntl");
        Libc.Check(Libc.fcntl(fd, SetFlags, flags | Libc.ONonblock), "fcntl");
    }

    public int Descriptor => _fd;

    public FdStream Duplicate()
    {
        const int DupCloexec = 1030;
        return new FdStream(_loop, Libc.Check(Libc.fcntl(_fd, DupCloexec, 0), "fcntl"));
    }

    /// <summary>From now on an empty pipe is the end: whoever wrote has ended, though a process it left behind may hold the pipe open.</summary>
    public void EndWhenDrained() => _drain.Cancel();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Asked before the read: what was written between an empty read and the end would be lost otherwise.
            var last = _drain.IsCancellationRequested;
            var n = TryRead(buffer.Span, out var errno);
            if (n >= 0)
                return n;
            switch (errno)
            {
                case Libc.Eintr:
                    continue;
                case Libc.Eagain:
                    if (last)
                        return 0;
                    await WaitAsync(cancellationToken);
                    continue;
                case Libc.Eio:   // a terminal whose other side is gone
                    return 0;
                default:
                    throw Libc.Failure("read", errno);
            }
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var n = TryWrite(buffer.Span, out var errno);
            if (n >= 0)
                buffer = buffer[n..];
            else if (errno == Libc.Eagain)
                await _loop.WaitWritableAsync(_fd, cancellationToken);
            else if (errno != Libc.Eintr)
                throw Libc.Failure("write", errno);
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _drain.Token);
        try
        {
            await _loop.WaitReadableAsync(_fd, either.Token);
        }
        catch (OperationCanceledException) when (_drain.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Read once more, for what came before the end.
        }
    }

    private unsafe int TryRead(Span<byte> buffer, out int errno)
    {
        fixed (byte* p = buffer)
        {
            var n = (int)Libc.read(_fd, p, (nuint)buffer.Length);
            errno = n < 0 ? Libc.Errno : 0;
            return n;
        }
    }

    private unsafe int TryWrite(ReadOnlySpan<byte> buffer, out int errno)
    {
        fixed (byte* p = buffer)
        {
            var n = (int)Libc.write(_fd, p, (nuint)buffer.Length);
            errno = n < 0 ? Libc.Errno : 0;
            return n;
        }
    }

    protected override void Dispose(bool disposing)
    {
        var fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
            _ = Libc.close(fd);
        if (disposing)
            _drain.Dispose();
        base.Dispose(disposing);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override void Flush() { }
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("This stream is asynchronous only.");
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("This stream is asynchronous only.");
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
