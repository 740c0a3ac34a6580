using Weft.Balancing.Health;

namespace Weft.Proxy.Forwarding;

/// <summary>What an answer says of its endpoint's health.</summary>
internal static class AttemptJudge
{
    /// <param name="grpcStatus">-1: none. Envoy maps UNAVAILABLE and its kind to 5xx; so does this.</param>
    public static AttemptOutcome Of(int status, int grpcStatus) => status switch
    {
        502 or 503 or 504 => AttemptOutcome.GatewayError,
        >= 500 => AttemptOutcome.ServerError,
        _ => grpcStatus switch
        {
            14 or 4 => AttemptOutcome.GatewayError,
            2 or 13 or 15 => AttemptOutcome.ServerError,
            _ => AttemptOutcome.Success,
        },
    };
}
