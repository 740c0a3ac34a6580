using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;

namespace Weft.Grpc;

/// <summary>gRPC's length-prefixed messages: one byte of flags, four of length (big-endian), the message.</summary>
internal static class Frames
{
    private const int HeaderSize = 5;

    public static byte[] Encode(IMessage message)
    {
        var size = message.CalculateSize();
        var frame = new byte[HeaderSize + size];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        message.WriteTo(frame.AsSpan(HeaderSize));
        return frame;
    }

    /// <summary>Null at the end of the stream, between two messages.</summary>
    /// <exception cref="GrpcException">What is wrong with the frame.</exception>
    public static async Task<TMessage?> ReadAsync<TMessage>(Stream stream, MessageParser<TMessage> parser, GrpcLimits limits, CancellationToken cancellationToken)
        where TMessage : class, IMessage<TMessage>
    {
        var header = new byte[HeaderSize];
        var got = await stream.ReadAtLeastAsync(header, HeaderSize, throwOnEndOfStream: false, cancellationToken);
        if (got == 0)
            return null;
        if (got < HeaderSize)
            throw new GrpcException(GrpcStatus.Internal, $"the answer ends within a frame's header ({got} of {HeaderSize} bytes)");
        // We never offer a compression, so nobody may use one.
        if (header[0] != 0)
            throw new GrpcException(GrpcStatus.Internal, header[0] == 1 ? "the answer is compressed, which was not asked for" : $"the answer has a frame with unknown flags {header[0]}");
        // Checked before anything is allocated for it.
        var size = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1));
        if (size > (uint)limits.MaxMessageBytes)
            throw new GrpcException(GrpcStatus.ResourceExhausted, $"a message of {size} bytes is larger than the {limits.MaxMessageBytes} that are accepted");

        var buffer = ArrayPool<byte>.Shared.Rent((int)size);
        try
        {
            got = await stream.ReadAtLeastAsync(buffer.AsMemory(0, (int)size), (int)size, throwOnEndOfStream: false, cancellationToken);
            if (got < size)
                throw new GrpcException(GrpcStatus.Internal, $"the answer ends within a message ({got} of {size} bytes)");
            return parser.ParseFrom(new ReadOnlySpan<byte>(buffer, 0, (int)size));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new GrpcException(GrpcStatus.Internal, $"the answer is no {typeof(TMessage).Name}: {e.Message}", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
