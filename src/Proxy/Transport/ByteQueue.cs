using System.Buffers;

namespace Weft.Proxy.Transport;

/// <summary>
/// Bytes on their way: written at the end, read from the start, contiguous. Holds no buffer while it is empty, so an idle connection costs none.
/// </summary>
internal sealed class ByteQueue(BufferPool pool) : IBufferWriter<byte>, IDisposable
{
    private const int GrownBytes = 16 << 10;

    private byte[]? _buffer;
    private int _start;
    private int _end;

    public int Length => _end - _start;

    public bool IsEmpty => _end == _start;

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(_start, Length);

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(_start, Length);

    public void Write(ReadOnlySpan<byte> data)
    {
        data.CopyTo(GetSpan(data.Length));
        _end += data.Length;
    }

    public void WriteByte(byte value)
    {
        GetSpan(1)[0] = value;
        _end++;
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        var needed = Math.Max(sizeHint, 1);
        if (_buffer is null || _buffer.Length - _end < needed)
            MakeRoom(needed);
        return _buffer.AsSpan(_end);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        GetSpan(sizeHint);
        return _buffer.AsMemory(_end);
    }

    public void Advance(int count) => _end += count;

    /// <summary>The first <paramref name="count"/> bytes are done with.</summary>
    public void Consume(int count)
    {
        _start += count;
        if (_start == _end)
            Release();
    }

    public void Clear() => Release();

    public void Dispose() => Release();

    private void MakeRoom(int needed)
    {
        if (_buffer is not null && _buffer.Length - Length >= needed && _start >= Length)
        {
            // At least as much is free in front as has to be moved: a byte is moved once at most for each that was read.
            Span.CopyTo(_buffer);
            (_start, _end) = (0, Length);
            return;
        }

        // A head has room in the smallest buffer, so that many small answers at once are not much; what grows will grow on.
        var larger = pool.Rent(_buffer is null ? needed : Math.Max(Length + needed, GrownBytes));
        Span.CopyTo(larger);
        var length = Length;
        if (_buffer is not null)
            pool.Return(_buffer);
        (_buffer, _start, _end) = (larger, 0, length);
    }

    private void Release()
    {
        if (_buffer is not null)
            pool.Return(_buffer);
        (_buffer, _start, _end) = (null, 0, 0);
    }
}
