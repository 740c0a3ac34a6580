using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Filters.Cors;
using Weft.Proxy.Filters.Faults;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Filters.RateLimits;

namespace Weft.Proxy.Filters;

/// <summary>Who makes a filter of which record: the whole list of those that need nothing but their configuration. One that needs a service (keys, a store) is added by who starts the proxy.</summary>
internal static class FilterKinds
{
    public static IReadOnlyDictionary<Type, Func<FilterConfig, IFilter>> WithoutServices => new Dictionary<Type, Func<FilterConfig, IFilter>>
    {
        [typeof(HeaderFilter)] = c => new HeaderEditFilter((HeaderFilter)c),
        [typeof(QueryFilter)] = c => new QueryEditFilter((QueryFilter)c),
        [typeof(CorsFilter)] = c => new CorsPolicyFilter((CorsFilter)c),
        [typeof(FaultFilter)] = c => new FaultInjectionFilter((FaultFilter)c),
        [typeof(RateLimitFilter)] = c => new LocalRateLimitFilter((RateLimitFilter)c),
        [typeof(BodyLimitFilter)] = c => new RequestSizeFilter((BodyLimitFilter)c),
        [typeof(AuthorizationFilter)] = c => new PolicyFilter((AuthorizationFilter)c),
        [typeof(ExternalAuthorizationFilter)] = c => new AskAuthorizerFilter((ExternalAuthorizationFilter)c),
    };
}
