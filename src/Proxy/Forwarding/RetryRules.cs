using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;

namespace Weft.Proxy.Forwarding;

/// <summary>Whether one more try is worth it. Pure.</summary>
internal static class RetryRules
{
    /// <param name="grpcStatus">Of an answer whose head has it; -1: none.</param>
    public static bool OnAnswer(RetryPolicy policy, ReadOnlySpan<byte> method, int status, int grpcStatus)
    {
        var on = policy.On;
        var wanted = (status >= 500 && (on & RetryOn.ServerError) != 0)
            || (status is 502 or 503 or 504 && (on & RetryOn.GatewayError) != 0)
            || (status == 409 && (on & RetryOn.Retriable4xx) != 0)
            || ((on & RetryOn.StatusCodes) != 0 && policy.StatusCodes.Contains(status));
        if (wanted)
            return MayRepeat(policy, method);
        // What gRPC calls unavailable, cancelled and so on is said by the application: it decides for its own methods, all of them POST.
        return grpcStatus switch
        {
            1 => (on & RetryOn.GrpcCancelled) != 0,
            4 => (on & RetryOn.GrpcDeadlineExceeded) != 0,
            8 => (on & RetryOn.GrpcResourceExhausted) != 0,
            13 => (on & RetryOn.GrpcInternal) != 0,
            14 => (on & RetryOn.GrpcUnavailable) != 0,
            _ => false,
        };
    }

    public static bool OnReset(RetryPolicy policy, ReadOnlySpan<byte> method, ResetReason reason) => reason switch
    {
        ResetReason.ConnectFailed => (policy.On & (RetryOn.ConnectFailure | RetryOn.ServerError)) != 0,
        ResetReason.Refused => (policy.On & (RetryOn.RefusedStream | RetryOn.ServerError)) != 0,
        ResetReason.PeerReset or ResetReason.ProtocolError or ResetReason.Cancelled => (policy.On & (RetryOn.Reset | RetryOn.ServerError)) != 0 && MayRepeat(policy, method),
        _ => false,
    };

    /// <summary>The time of a try is over. Whoever bounds a try wants another one, but what the endpoint may still be at work on is not sent twice.</summary>
    public static bool OnTimeout(RetryPolicy policy, ReadOnlySpan<byte> method) => MayRepeat(policy, method);

    /// <summary>RFC 9110 section 9.2.2.</summary>
    public static bool IsIdempotent(ReadOnlySpan<byte> method) => method.Length switch
    {
        3 => method.SequenceEqual("GET"u8) || method.SequenceEqual("PUT"u8),
        4 => method.SequenceEqual("HEAD"u8),
        5 => method.SequenceEqual("TRACE"u8),
        6 => method.SequenceEqual("DELETE"u8),
        7 => method.SequenceEqual("OPTIONS"u8),
        _ => false,
    };

    /// <summary>Before retry number <paramref name="retry"/> (1, 2, ...): by chance from 0 to base x (2^n - 1), in milliseconds.</summary>
    /// <param name="chance">0 up to 1.</param>
    public static long Backoff(RetryPolicy policy, int retry, double chance)
    {
        var most = Math.Min(policy.BaseBackoff.TotalMilliseconds * ((1L << Math.Min(retry, 20)) - 1), policy.MaxBackoff.TotalMilliseconds);
        return (long)(most * chance);
    }

    private static bool MayRepeat(RetryPolicy policy, ReadOnlySpan<byte> method) => policy.NonIdempotent || IsIdempotent(method);
}
