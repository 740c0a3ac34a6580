using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Filters;

/// <summary>Envoy's flag of an answer that this proxy makes itself, by its detail. Who is turned away for a missing or bad credential has none there, either.</summary>
internal static class ReplyFlags
{
    public static ResponseFlags Of(string? detail) => detail switch
    {
        "route_not_found" => ResponseFlags.NoRoute,
        "cluster_not_found" => ResponseFlags.NoCluster,
        "rate_limited" => ResponseFlags.RateLimited,
        "fault_abort" => ResponseFlags.FaultInjected,
        "policy_denied" or "policy_none_allows" or "ext_authz_denied" or "ext_authz_error" => ResponseFlags.Unauthorized,
        "password_check_overloaded" => ResponseFlags.OverloadManager,
        _ => ResponseFlags.None,
    };
}
