using System.Buffers.Binary;

namespace Weft.Proxy.Http2.Frames;

/// <summary>RFC 9113 section 4.1.</summary>
internal readonly record struct FrameHeader(int Length, FrameType Type, FrameFlags Flags, int StreamId)
{
    public const int Size = 9;

    /// <summary>The smallest that a peer has to take and the largest that we take (section 4.2): larger ones would only let one stream hold up the others.</summary>
    public const int DefaultMaxLength = 16_384;

    public const int LargestMaxLength = (1 << 24) - 1;

    public bool Has(FrameFlags flag) => (Flags & flag) != 0;

    public static FrameHeader Read(ReadOnlySpan<byte> from) => new(
        (from[0] << 16) | (from[1] << 8) | from[2], (FrameType)from[3], (FrameFlags)from[4],
        (int)(BinaryPrimitives.ReadUInt32BigEndian(from[5..]) & int.MaxValue)); // the reserved bit is ignored

    public static void Write(Span<byte> to, int length, FrameType type, FrameFlags flags, int streamId)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, ((uint)length << 8) | (byte)type);
        to[4] = (byte)flags;
        BinaryPrimitives.WriteUInt32BigEndian(to[5..], (uint)streamId);
    }
}
