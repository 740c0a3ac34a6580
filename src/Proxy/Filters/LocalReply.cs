using Weft.Proxy.Http;

namespace Weft.Proxy.Filters;

/// <summary>An answer that this proxy makes itself.</summary>
internal sealed class LocalReply
{
    public ResponseHead Head { get; } = new();

    public ReadOnlyMemory<byte> Body { get; set; }

    public void Clear()
    {
        Head.Clear();
        Body = default;
    }

    /// <summary>For gRPC clients the answer is a status in the head ("Trailers-Only"), and HTTP's is 200: they read no other.</summary>
    public void Set(int status, ReadOnlyMemory<byte> body, ReadOnlySpan<byte> contentType, bool grpc)
    {
        Clear();
        if (grpc)
        {
            SetGrpc(GrpcStatuses.OfHttp(status), body.Span);
            return;
        }

        Head.Status = status;
        Body = body;
        Head.ContentLength = body.Length;
        if (!body.IsEmpty)
            Head.Headers.Add("content-type"u8, contentType);
    }

    public void SetGrpc(int grpcStatus, ReadOnlySpan<byte> message)
    {
        Clear();
        Head.Status = 200;
        Head.ContentLength = 0;
        Head.Headers.Add("content-type"u8, "application/grpc"u8);
        Span<byte> digits = stackalloc byte[11];
        System.Buffers.Text.Utf8Formatter.TryFormat(grpcStatus, digits, out var written);
        Head.Headers.Add("grpc-status"u8, digits[..written]);
        if (!message.IsEmpty)
            Head.Headers.Add("grpc-message"u8, GrpcStatuses.Escape(message));
    }
}
