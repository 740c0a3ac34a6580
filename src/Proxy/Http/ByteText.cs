namespace Weft.Proxy.Http;

/// <summary>A short text of bytes that is written again and again into the same storage.</summary>
internal sealed class ByteText(int capacity)
{
    private byte[] _bytes = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Set(ReadOnlySpan<byte> value)
    {
        // The value may be part of what is stored (a path that loses its prefix): CopyTo takes overlaps, a new array would lose the source.
        if (value.Length > _bytes.Length)
            _bytes = new byte[Math.Max(value.Length, _bytes.Length * 2)];
        value.CopyTo(_bytes);
        Length = value.Length;
    }
}
