using System.Buffers.Binary;

namespace Weft.ApiServer.Streaming.Spdy;

/// <summary>Frames to bytes. Does no I/O; the compression context makes the order of header-carrying frames matter: write what is returned, in order.</summary>
internal sealed class SpdyFrameWriter : IDisposable
{
    public const int DataHeaderSize = 8;

    private readonly HeaderCompressor _headers = new();

    public byte[] SynStream(int streamId, SpdyHeaders headers, bool fin)
    {
        var block = _headers.Write(headers);
        var frame = Control(type: 1, fin, 10 + block.Length);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), streamId);
        block.CopyTo(frame, 18);
        return frame;
    }

    public byte[] SynReply(int streamId, SpdyHeaders headers)
    {
        var block = _headers.Write(headers);
        var frame = Control(type: 2, fin: false, 4 + block.Length);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), streamId);
        block.CopyTo(frame, 12);
        return frame;
    }

    public static byte[] Reset(int streamId, SpdyReset status) => Two(type: 3, streamId, (int)status);

    public static byte[] GoAway(int lastStreamId, int status) => Two(type: 7, lastStreamId, status);

    public static byte[] WindowUpdate(int streamId, int delta) => Two(type: 9, streamId, delta);

    public static byte[] InitialWindow(int bytes)
    {
        var frame = Control(type: 4, fin: false, 12);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), 1);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(12), 7);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(16), bytes);
        return frame;
    }

    public static byte[] Ping(uint id)
    {
        var frame = Control(type: 6, fin: false, 4);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), id);
        return frame;
    }

    public static void DataHeader(Span<byte> frame, int streamId, int length, bool fin)
    {
        BinaryPrimitives.WriteInt32BigEndian(frame, streamId);
        BinaryPrimitives.WriteInt32BigEndian(frame[4..], length);
        frame[4] = fin ? (byte)1 : (byte)0;
    }

    public void Dispose() => _headers.Dispose();

    private static byte[] Two(int type, int first, int second)
    {
        var frame = Control(type, fin: false, 8);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), first);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(12), second);
        return frame;
    }

    private static byte[] Control(int type, bool fin, int length)
    {
        var frame = new byte[8 + length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, 0x8003_0000u | (uint)type);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), length);
        frame[4] = fin ? (byte)1 : (byte)0;
        return frame;
    }
}
