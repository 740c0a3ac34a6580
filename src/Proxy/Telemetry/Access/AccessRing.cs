using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weft.Proxy.Telemetry.Access;

/// <summary>
/// Records on their way from a loop to whoever writes them down: one writer, one reader, no lock. When the reader is slow records are dropped and counted; a request
/// never waits for a log.
/// </summary>
/// <param name="capacity">Bytes, a power of two.</param>
internal sealed class AccessRing(int capacity = 1 << 20)
{
    /// <summary>Of a text that is kept; what is longer is cut. Paths of browsers are rarely above it.</summary>
    public const int MaxText = 1024;

    private const int Texts = 8;
    private static readonly int Fixed = Unsafe.SizeOf<AccessRecord>() + Texts * sizeof(ushort);
    private readonly byte[] _bytes = new byte[capacity];
    private readonly byte[] _scratch = new byte[Unsafe.SizeOf<AccessRecord>() + Texts * (sizeof(ushort) + MaxText) + Text.LogFields.MaxBytes];
    private long _written, _read, _dropped;

    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Somebody looks at all requests, logged or not. Set once, before there are any.</summary>
    public bool IsWatched { get; set; }

    /// <summary>Called by the loop.</summary>
    public void Write(in AccessRecord record, in AccessTexts texts)
    {
        var at = Fixed;
        MemoryMarshal.Write(_scratch, record);
        var lengths = _scratch.AsSpan(Unsafe.SizeOf<AccessRecord>());
        Put(0, texts.Method, lengths, ref at);
        Put(1, texts.Authority, lengths, ref at);
        Put(2, texts.Path, lengths, ref at);
        Put(3, texts.UserAgent, lengths, ref at);
        Put(4, texts.ForwardedFor, lengths, ref at);
        Put(5, texts.RequestId, lengths, ref at);
        Put(6, texts.ServerName, lengths, ref at);
        Put(7, texts.Fields, lengths, ref at, Text.LogFields.MaxBytes);
        var needed = sizeof(int) + at;
        if (_bytes.Length - (_written - Volatile.Read(ref _read)) < needed)
        {
            Volatile.Write(ref _dropped, _dropped + 1);
            return;
        }

        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, at);
        CopyIn(_written, length);
        CopyIn(_written + sizeof(int), _scratch.AsSpan(0, at));
        Volatile.Write(ref _written, _written + needed);
    }

    /// <summary>Called by the reader, one at a time. The texts point into <paramref name="buffer"/>, which grows to what is needed.</summary>
    public bool TryRead(ref byte[] buffer, out AccessRecord record, out AccessTexts texts)
    {
        record = default;
        texts = default;
        if (Volatile.Read(ref _written) == _read)
            return false;
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        CopyOut(_read, prefix);
        var length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (buffer.Length < length)
            buffer = new byte[_scratch.Length];
        CopyOut(_read + sizeof(int), buffer.AsSpan(0, length));
        Volatile.Write(ref _read, _read + sizeof(int) + length);
        record = MemoryMarshal.Read<AccessRecord>(buffer);
        var lengths = buffer.AsSpan(Unsafe.SizeOf<AccessRecord>());
        var at = Fixed;
        texts = new AccessTexts
        {
            Method = Take(0, lengths, buffer, ref at),
            Authority = Take(1, lengths, buffer, ref at),
            Path = Take(2, lengths, buffer, ref at),
            UserAgent = Take(3, lengths, buffer, ref at),
            ForwardedFor = Take(4, lengths, buffer, ref at),
            RequestId = Take(5, lengths, buffer, ref at),
            ServerName = Take(6, lengths, buffer, ref at),
            Fields = Take(7, lengths, buffer, ref at),
        };
        return true;
    }

    private void Put(int number, ReadOnlySpan<byte> text, Span<byte> lengths, ref int at, int most = MaxText)
    {
        var kept = text[..Math.Min(text.Length, most)];
        kept.CopyTo(_scratch.AsSpan(at));
        BinaryPrimitives.WriteUInt16LittleEndian(lengths[(number * sizeof(ushort))..], (ushort)kept.Length);
        at += kept.Length;
    }

    private static ReadOnlySpan<byte> Take(int number, scoped ReadOnlySpan<byte> lengths, byte[] buffer, scoped ref int at)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(lengths[(number * sizeof(ushort))..]);
        var text = buffer.AsSpan(at, length);
        at += length;
        return text;
    }

    private void CopyIn(long position, ReadOnlySpan<byte> data)
    {
        var at = (int)(position & (_bytes.Length - 1));
        var first = Math.Min(data.Length, _bytes.Length - at);
        data[..first].CopyTo(_bytes.AsSpan(at));
        data[first..].CopyTo(_bytes);
    }

    private void CopyOut(long position, Span<byte> data)
    {
        var at = (int)(position & (_bytes.Length - 1));
        var first = Math.Min(data.Length, _bytes.Length - at);
        _bytes.AsSpan(at, first).CopyTo(data);
        _bytes.AsSpan(0, data.Length - first).CopyTo(data[first..]);
    }
}
