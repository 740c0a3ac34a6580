using System.Buffers;
using System.Buffers.Binary;

namespace Weft.ApiServer.Streaming.Spdy;

/// <summary>Bytes to frames (SPDY/3.1 draft, section 2.2). Does no I/O; holds the header compression context and the place inside a data frame.</summary>
internal sealed class SpdyFrameReader : IDisposable
{
    private const int Version = 3;
    private const int HeaderSize = 8;
    private const byte FlagFin = 1;
    private const byte FlagUnidirectional = 2;

    private readonly HeaderDecompressor _headers = new();
    private readonly byte[] _control = new byte[SpdyLimits.MaxHeaderBytes + 16];

    private int _dataStream;
    private int _dataLeft;
    private bool _dataFin;

    /// <summary>Takes one frame, or one piece of a data frame, off the front of <paramref name="input"/>. False: more bytes are needed.</summary>
    /// <exception cref="SpdyException">These bytes are no frame, or one beyond the limits.</exception>
    public bool TryRead(ref ReadOnlySequence<byte> input, out SpdyFrame frame)
    {
        if (_dataLeft > 0)
            return TryReadData(ref input, out frame);

        frame = null!;
        if (input.Length < HeaderSize)
            return false;
        Span<byte> header = stackalloc byte[HeaderSize];
        input.Slice(0, HeaderSize).CopyTo(header);
        var flags = header[4];
        var length = (header[5] << 16) | (header[6] << 8) | header[7];
        var first = BinaryPrimitives.ReadUInt32BigEndian(header);

        if ((first & 0x8000_0000) == 0)
        {
            if (first == 0)
                throw new SpdyException("data on stream 0");
            input = input.Slice(HeaderSize);
            _dataStream = (int)first;
            _dataLeft = length;
            _dataFin = (flags & FlagFin) != 0;
            if (length > 0)
                return TryReadData(ref input, out frame);
            frame = new SpdyFrame.Data(_dataStream, ReadOnlySequence<byte>.Empty, _dataFin);
            return true;
        }

        var version = (int)(first >> 16) & 0x7fff;
        if (version != Version)
            throw new SpdyException($"version {version} where {Version} is spoken");
        if (length > _control.Length)
            throw new SpdyException($"control frame of {length} bytes, at most {_control.Length} are taken");
        if (input.Length < HeaderSize + length)
            return false;
        var body = _control.AsSpan(0, length);
        input.Slice(HeaderSize, length).CopyTo(body);
        input = input.Slice(HeaderSize + length);
        frame = ReadControl((int)first & 0xffff, flags, body);
        return true;
    }

    public void Dispose() => _headers.Dispose();

    private bool TryReadData(ref ReadOnlySequence<byte> input, out SpdyFrame frame)
    {
        frame = null!;
        if (input.IsEmpty)
            return false;
        var take = (int)Math.Min(input.Length, _dataLeft);
        _dataLeft -= take;
        frame = new SpdyFrame.Data(_dataStream, input.Slice(0, take), _dataFin && _dataLeft == 0);
        input = input.Slice(take);
        return true;
    }

    private SpdyFrame ReadControl(int type, byte flags, ReadOnlySpan<byte> body)
    {
        var fin = (flags & FlagFin) != 0;
        switch (type)
        {
            case 1:
                Need(body, 10, "SYN_STREAM");
                return new SpdyFrame.SynStream(StreamId(body), _headers.Read(body[10..]), fin, (flags & FlagUnidirectional) != 0);
            case 2:
                Need(body, 4, "SYN_REPLY");
                return new SpdyFrame.SynReply(StreamId(body), _headers.Read(body[4..]), fin);
            case 3:
                NeedExactly(body, 8, "RST_STREAM");
                return new SpdyFrame.Reset(StreamId(body), (SpdyReset)Number(body[4..]));
            case 4:
                return ReadSettings(body);
            case 6:
                NeedExactly(body, 4, "PING");
                return new SpdyFrame.Ping(BinaryPrimitives.ReadUInt32BigEndian(body));
            case 7:
                NeedExactly(body, 8, "GOAWAY");
                return new SpdyFrame.GoAway(Number(body), Number(body[4..]));
            case 8:
                Need(body, 4, "HEADERS");
                return new SpdyFrame.MoreHeaders(StreamId(body), _headers.Read(body[4..]), fin);
            case 9:
                NeedExactly(body, 8, "WINDOW_UPDATE");
                var delta = Number(body[4..]);
                return delta > 0 ? new SpdyFrame.WindowUpdate(Number(body), delta) : throw new SpdyException("WINDOW_UPDATE by 0");
            default:
                return new SpdyFrame.Unknown(type);
        }
    }

    private static SpdyFrame.Settings ReadSettings(ReadOnlySpan<byte> body)
    {
        const int initialWindow = 7;
        Need(body, 4, "SETTINGS");
        var count = BinaryPrimitives.ReadUInt32BigEndian(body);
        if (count * 8L != body.Length - 4)
            throw new SpdyException("SETTINGS of the wrong size");
        int? window = null;
        for (var entry = body[4..]; entry.Length > 0; entry = entry[8..])
        {
            if ((Number(entry) & 0xff_ffff) == initialWindow)
                window = Number(entry[4..]);
        }

        return new SpdyFrame.Settings(window);
    }

    private static void Need(ReadOnlySpan<byte> body, int size, string frame)
    {
        if (body.Length < size)
            throw new SpdyException($"{frame} of {body.Length} bytes is too short");
    }

    private static void NeedExactly(ReadOnlySpan<byte> body, int size, string frame)
    {
        if (body.Length != size)
            throw new SpdyException($"{frame} of {body.Length} bytes where {size} are due");
    }

    private static int Number(ReadOnlySpan<byte> body) => (int)(BinaryPrimitives.ReadUInt32BigEndian(body) & 0x7fff_ffff);

    private static int StreamId(ReadOnlySpan<byte> body)
    {
        var id = Number(body);
        return id > 0 ? id : throw new SpdyException("stream 0 in a frame that needs a stream");
    }
}
