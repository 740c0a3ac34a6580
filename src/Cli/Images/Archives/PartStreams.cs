namespace Weft.Cli.Images.Archives;

/// <summary>A stretch of a file, as a stream of its own.</summary>
internal sealed class Part(FileStream file, long offset, long length) : ReadOnlyStream
{
    private long _position;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => _position = value;
    }

    public override bool CanSeek => true;

    public override int Read(Span<byte> buffer)
    {
        var read = RandomAccess.Read(file.SafeFileHandle, buffer[..(int)Math.Min(buffer.Length, length - _position)], offset + _position);
        _position += read;
        return read;
    }
}

/// <summary>Bytes that were read to see what a stream is, and then the stream.</summary>
internal sealed class Prefixed(byte[] head, Stream rest) : ReadOnlyStream
{
    private int _sent;

    public override int Read(Span<byte> buffer)
    {
        if (_sent == head.Length)
            return rest.Read(buffer);
        var count = Math.Min(buffer.Length, head.Length - _sent);
        head.AsSpan(_sent, count).CopyTo(buffer);
        _sent += count;
        return count;
    }
}

internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override int Read(Span<byte> buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
