using System.Net;

namespace Weft.Grpc;

/// <summary>The codes of gRPC; their numbers are the wire's.</summary>
public enum GrpcStatus
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

/// <summary>A call that did not end with <see cref="GrpcStatus.Ok"/>. The message is the server's, or says what was wrong with its answer.</summary>
public sealed class GrpcException(GrpcStatus status, string message, Exception? inner = null) : Exception(message, inner)
{
    public GrpcStatus Status => status;

    /// <summary>What came with the status (`grpc-status-details-bin` and the like).</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Trailers { get; init; } = [];
}

internal static class StatusRules
{
    /// <summary>For an answer that is not gRPC at all (gRPC's "HTTP to gRPC Status Code Mapping").</summary>
    public static GrpcStatus FromHttp(HttpStatusCode code) => (int)code switch
    {
        400 => GrpcStatus.Internal,
        401 => GrpcStatus.Unauthenticated,
        403 => GrpcStatus.PermissionDenied,
        404 => GrpcStatus.Unimplemented,
        429 or 502 or 503 or 504 => GrpcStatus.Unavailable,
        _ => GrpcStatus.Unknown,
    };

    /// <summary>For a stream that the peer reset (gRPC over HTTP/2, "HTTP2 Transport Mapping"; code numbers of RFC 9113, section 7).</summary>
    public static GrpcStatus FromReset(long code) => code switch
    {
        7 => GrpcStatus.Unavailable,        // REFUSED_STREAM
        8 => GrpcStatus.Cancelled,          // CANCEL
        11 => GrpcStatus.ResourceExhausted, // ENHANCE_YOUR_CALM
        12 => GrpcStatus.PermissionDenied,  // INADEQUATE_SECURITY
        _ => GrpcStatus.Internal,
    };
}
