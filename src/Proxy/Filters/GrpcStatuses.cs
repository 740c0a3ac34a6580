using System.Text;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters;

/// <summary>What HTTP's answers mean in gRPC ("HTTP to gRPC status code mapping" of its protocol).</summary>
internal static class GrpcStatuses
{
    public const int Unknown = 2, DeadlineExceeded = 4, PermissionDenied = 7, ResourceExhausted = 8, Unimplemented = 12, Internal = 13, Unavailable = 14, Unauthenticated = 16;

    public static int OfHttp(int status) => status switch
    {
        400 => Internal,
        401 => Unauthenticated,
        403 => PermissionDenied,
        404 => Unimplemented,
        // A client may come back after a refusal for quantity: 429 by a limit says so more exactly than the table's UNAVAILABLE.
        413 or 429 or 431 => ResourceExhausted,
        502 or 503 or 504 => Unavailable,
        _ => Unknown,
    };

    public static bool IsGrpc(ReadOnlySpan<byte> contentType)
        => contentType.StartsWith("application/grpc"u8) && (contentType.Length == 16 || contentType[16] is (byte)'+' or (byte)';');

    /// <summary>The status that a head without a body, or trailers, have; -1: none that can be read.</summary>
    public static int In(HeaderList headers) =>
        headers.TryGet(KnownHeader.GrpcStatus, out var text) && System.Buffers.Text.Utf8Parser.TryParse(text, out int status, out var used) && used == text.Length ? status : -1;

    /// <summary>Percent-encoded, all but printable ASCII without the percent sign (gRPC over HTTP/2, Status-Message).</summary>
    public static byte[] Escape(ReadOnlySpan<byte> message)
    {
        var text = new StringBuilder(message.Length);
        foreach (var c in message)
            _ = c is >= 0x20 and <= 0x7E and not (byte)'%' ? text.Append((char)c) : text.Append('%').Append(c.ToString("X2"));
        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
