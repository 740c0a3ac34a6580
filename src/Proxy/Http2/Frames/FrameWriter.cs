using System.Buffers.Binary;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2.Frames;

/// <summary>Whole frames at the end of a queue.</summary>
internal static class FrameWriter
{
    public static void Data(ByteQueue output, int streamId, ReadOnlySpan<byte> data, bool end)
    {
        var span = output.GetSpan(FrameHeader.Size + data.Length);
        FrameHeader.Write(span, data.Length, FrameType.Data, end ? FrameFlags.EndStream : FrameFlags.None, streamId);
        data.CopyTo(span[FrameHeader.Size..]);
        output.Advance(FrameHeader.Size + data.Length);
    }

    public static void RstStream(ByteQueue output, int streamId, ErrorCode code) => Word(output, FrameType.RstStream, streamId, (uint)code);

    public static void WindowUpdate(ByteQueue output, int streamId, int increment) => Word(output, FrameType.WindowUpdate, streamId, (uint)increment);

    public static void Ping(ByteQueue output, ReadOnlySpan<byte> opaque, bool ack) => Frame(output, FrameType.Ping, ack ? FrameFlags.Ack : FrameFlags.None, opaque);

    public static void Settings(ByteQueue output, ReadOnlySpan<(SettingId Id, uint Value)> settings)
    {
        Span<byte> payload = stackalloc byte[6 * settings.Length];
        for (var i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload[(i * 6)..], (ushort)settings[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload[((i * 6) + 2)..], settings[i].Value);
        }

        Frame(output, FrameType.Settings, FrameFlags.None, payload);
    }

    public static void SettingsAck(ByteQueue output) => Frame(output, FrameType.Settings, FrameFlags.Ack, default);

    public static void GoAway(ByteQueue output, int lastStreamId, ErrorCode code)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(payload[4..], (uint)code);
        Frame(output, FrameType.GoAway, FrameFlags.None, payload);
    }

    /// <summary>
    /// A header block that was written behind room for one frame header: fills that in, and cuts the block into CONTINUATION frames where it is longer than a frame.
    /// </summary>
    /// <param name="span">From the first frame header on, with room for as many more as the block needs.</param>
    /// <returns>How many bytes the frames have.</returns>
    public static int FinishBlock(Span<byte> span, int blockLength, int streamId, bool end, int maxLength)
    {
        var flags = end ? FrameFlags.EndStream : FrameFlags.None;
        if (blockLength <= maxLength)
        {
            FrameHeader.Write(span, blockLength, FrameType.Headers, flags | FrameFlags.EndHeaders, streamId);
            return FrameHeader.Size + blockLength;
        }

        // From the last to the first, so that nothing is overwritten that has still to be moved.
        var pieces = (blockLength + maxLength - 1) / maxLength;
        for (var i = pieces - 1; i > 0; i--)
        {
            var length = Math.Min(maxLength, blockLength - (i * maxLength));
            span.Slice(FrameHeader.Size + (i * maxLength), length).CopyTo(span[((FrameHeader.Size * (i + 1)) + (i * maxLength))..]);
            FrameHeader.Write(span[((FrameHeader.Size + maxLength) * i)..], length, FrameType.Continuation, i == pieces - 1 ? FrameFlags.EndHeaders : FrameFlags.None, streamId);
        }

        FrameHeader.Write(span, maxLength, FrameType.Headers, flags, streamId);
        return (pieces * FrameHeader.Size) + blockLength;
    }

    public static int RoomForBlock(int blockLength) => blockLength + (FrameHeader.Size * (1 + (blockLength / FrameHeader.DefaultMaxLength) + 1));

    private static void Word(ByteQueue output, FrameType type, int streamId, uint value)
    {
        var span = output.GetSpan(FrameHeader.Size + 4);
        FrameHeader.Write(span, 4, type, FrameFlags.None, streamId);
        BinaryPrimitives.WriteUInt32BigEndian(span[FrameHeader.Size..], value);
        output.Advance(FrameHeader.Size + 4);
    }

    private static void Frame(ByteQueue output, FrameType type, FrameFlags flags, ReadOnlySpan<byte> payload)
    {
        var span = output.GetSpan(FrameHeader.Size + payload.Length);
        FrameHeader.Write(span, payload.Length, type, flags, 0);
        payload.CopyTo(span[FrameHeader.Size..]);
        output.Advance(FrameHeader.Size + payload.Length);
    }
}
