using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Weft.ApiServer.Streaming.Spdy;

/// <summary>
/// Name/value header blocks (SPDY/3 draft, section 2.6.10) through zlib. One compression context lives as long as the connection and sees every
/// block in order, so each instance belongs to one direction of one connection and to one thread at a time.
/// </summary>
internal sealed unsafe class HeaderDecompressor : IDisposable
{
    private readonly ZlibHandle _zlib = ZlibHandle.ForInflate();
    private readonly byte[] _plain = new byte[SpdyLimits.MaxHeaderBytes];

    /// <exception cref="SpdyException">The block does not decompress, is larger than the limit, or is not a header block.</exception>
    public SpdyHeaders Read(ReadOnlySpan<byte> compressed)
    {
        var length = Inflate(compressed);
        return Parse(_plain.AsSpan(0, length));
    }

    public void Dispose() => _zlib.Dispose();

    private int Inflate(ReadOnlySpan<byte> compressed)
    {
        var stream = _zlib.Stream;
        fixed (byte* input = compressed)
        fixed (byte* output = _plain)
        fixed (byte* dictionary = SpdyDictionary.Bytes)
        {
            stream->NextIn = input;
            stream->AvailableIn = (uint)compressed.Length;
            stream->NextOut = output;
            stream->AvailableOut = (uint)_plain.Length;
            while (stream->AvailableIn > 0)
            {
                var result = Zlib.Inflate(stream, Zlib.SyncFlush);
                if (result == Zlib.NeedDictionary)
                    result = Zlib.InflateSetDictionary(stream, dictionary, (uint)SpdyDictionary.Bytes.Length);
                if (result != Zlib.Ok)
                {
                    throw stream->AvailableOut == 0
                        ? new SpdyException("header block is larger than " + SpdyLimits.MaxHeaderBytes + " bytes")
                        : new SpdyException("header block is not a zlib stream with the SPDY/3 dictionary");
                }
            }

            // All input taken and no room left: there may be more output inside zlib than fits.
            if (stream->AvailableOut == 0)
                throw new SpdyException("header block is larger than " + SpdyLimits.MaxHeaderBytes + " bytes");
            return _plain.Length - (int)stream->AvailableOut;
        }
    }

    internal static SpdyHeaders Parse(ReadOnlySpan<byte> block)
    {
        var count = ReadLength(ref block);
        if (count > SpdyLimits.MaxHeaders)
            throw new SpdyException($"{count} headers, at most {SpdyLimits.MaxHeaders} are taken");
        var headers = new Dictionary<string, string>(count, StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < count; i++)
        {
            var name = ReadText(ref block);
            var value = ReadText(ref block);
            if (name.Length == 0 || !headers.TryAdd(name, value))
                throw new SpdyException(name.Length == 0 ? "a header without a name" : $"header '{name}' twice");
        }

        if (block.Length != 0)
            throw new SpdyException("bytes after the last header");
        return new SpdyHeaders(headers);
    }

    private static int ReadLength(ref ReadOnlySpan<byte> block)
    {
        if (block.Length < 4)
            throw new SpdyException("header block ends early");
        var length = BinaryPrimitives.ReadUInt32BigEndian(block);
        block = block[4..];
        return length <= SpdyLimits.MaxHeaderBytes ? (int)length : throw new SpdyException("length in a header block is out of range");
    }

    private static string ReadText(ref ReadOnlySpan<byte> block)
    {
        var length = ReadLength(ref block);
        if (block.Length < length)
            throw new SpdyException("header block ends early");
        var text = Encoding.UTF8.GetString(block[..length]);
        block = block[length..];
        return text;
    }
}

/// <summary>The sending side of <see cref="HeaderDecompressor"/>.</summary>
internal sealed unsafe class HeaderCompressor : IDisposable
{
    private readonly ZlibHandle _zlib = ZlibHandle.ForDeflate();

    public HeaderCompressor()
    {
        fixed (byte* dictionary = SpdyDictionary.Bytes)
        {
            if (Zlib.DeflateSetDictionary(_zlib.Stream, dictionary, (uint)SpdyDictionary.Bytes.Length) != Zlib.Ok)
                throw new InvalidOperationException("zlib refused the SPDY/3 dictionary");
        }
    }

    public byte[] Write(SpdyHeaders headers)
    {
        var plain = new ArrayBufferWriter<byte>(256);
        WriteLength(plain, headers.All.Count);
        foreach (var (name, value) in headers.All)
        {
            WriteText(plain, name.ToLowerInvariant()); // section 2.6.10: names are lower case
            WriteText(plain, value);
        }

        return Deflate(plain.WrittenSpan);
    }

    public void Dispose() => _zlib.Dispose();

    private byte[] Deflate(ReadOnlySpan<byte> plain)
    {
        // A stored block costs 5 bytes per 16 KB, a flush 5 more, the zlib header with a dictionary 6.
        var output = new byte[plain.Length + plain.Length / 1000 + 64];
        var stream = _zlib.Stream;
        fixed (byte* input = plain)
        fixed (byte* start = output)
        {
            stream->NextIn = input;
            stream->AvailableIn = (uint)plain.Length;
            stream->NextOut = start;
            stream->AvailableOut = (uint)output.Length;
            var result = Zlib.Deflate(stream, Zlib.SyncFlush);
            if (result != Zlib.Ok || stream->AvailableIn != 0 || stream->AvailableOut == 0)
                throw new InvalidOperationException($"zlib could not compress a header block (code {result})");
            return output[..(output.Length - (int)stream->AvailableOut)];
        }
    }

    private static void WriteLength(ArrayBufferWriter<byte> block, int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(block.GetSpan(4), length);
        block.Advance(4);
    }

    private static void WriteText(ArrayBufferWriter<byte> block, string text)
    {
        WriteLength(block, Encoding.UTF8.GetByteCount(text));
        block.Advance(Encoding.UTF8.GetBytes(text, block.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length))));
    }
}
