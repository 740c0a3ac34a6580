namespace Weft.Api.Streams.Tunnels;

/// <summary>A connection to a port of a pod on another node, as one stream of bytes.</summary>
public sealed class TunnelDuplex(TunnelSocket socket, Func<ValueTask> onDispose) : Stream
{
    private readonly byte[] _buffer = new byte[TunnelSocket.MaxData];
    private Memory<byte> _left;
    private bool _ended;
    private int _disposed;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_left.Length == 0 && !_ended)
        {
            var message = await socket.ReceiveAsync(_buffer, cancellationToken);
            if (message is not { Length: > 0 } bytes || (TunnelChannel)bytes.Span[0] == TunnelChannel.EndOfOutput)
                _ended = true;
            else if ((TunnelChannel)bytes.Span[0] == TunnelChannel.Output)
                _left = bytes[1..];
        }

        var count = Math.Min(_left.Length, buffer.Length);
        _left[..count].CopyTo(buffer);
        _left = _left[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length > 0)
            await socket.SendAsync(TunnelChannel.Input, buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>No more will be written; what the pod still answers comes.</summary>
    public Task EndWritingAsync(CancellationToken cancellationToken) => socket.SendAsync(TunnelChannel.EndOfInput, ReadOnlyMemory<byte>.Empty, cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await onDispose();
        await base.DisposeAsync();
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("a tunnel is read asynchronously");
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("a tunnel is written to asynchronously");
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
