using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authentication;
using Weft.Proxy.Filters.Authentication.Passwords;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Filters.Authorization.External;
using Weft.Proxy.Filters.Cors;
using Weft.Proxy.Filters.Faults;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Filters.Jwt;
using Weft.Proxy.Filters.RateLimits;

namespace Weft.Proxy.Filters;

/// <summary>Who makes a filter of which record: the whole list.</summary>
internal static class FilterKinds
{
    /// <summary>Those that need nothing but their record.</summary>
    public static IReadOnlyDictionary<Type, Func<FilterConfig, IFilter>> WithoutServices => new Dictionary<Type, Func<FilterConfig, IFilter>>
    {
        [typeof(HeaderFilter)] = c => new HeaderEditFilter((HeaderFilter)c),
        [typeof(QueryFilter)] = c => new QueryEditFilter((QueryFilter)c),
        [typeof(CorsFilter)] = c => new CorsPolicyFilter((CorsFilter)c),
        [typeof(FaultFilter)] = c => new FaultInjectionFilter((FaultFilter)c),
        [typeof(RateLimitFilter)] = c => new LocalRateLimitFilter((RateLimitFilter)c),
        [typeof(BodyLimitFilter)] = c => new RequestSizeFilter((BodyLimitFilter)c),
        [typeof(AuthorizationFilter)] = c => new PolicyFilter((AuthorizationFilter)c),
        [typeof(ExternalAuthorizationFilter)] = c => AuthorizerFilter.Create((ExternalAuthorizationFilter)c),
    };

    /// <summary>All.</summary>
    public static IReadOnlyDictionary<Type, Func<FilterConfig, IFilter>> With(FilterNeeds needs) => new Dictionary<Type, Func<FilterConfig, IFilter>>(WithoutServices)
    {
        [typeof(JwtFilter)] = c => new JwtCheckFilter((JwtFilter)c, [.. ((JwtFilter)c).Providers.Select(name => needs.Issuers[name]), .. ((JwtFilter)c).Issuers.Select(issuer => needs.IssuerOf(issuer))]),
        [typeof(ApiKeyFilter)] = c => new ApiKeyCheckFilter((ApiKeyFilter)c, needs.Keys.GetValueOrDefault((ApiKeyFilter)c) ?? new ApiKeyTable(((ApiKeyFilter)c).Keys, ((ApiKeyFilter)c).KeyFile?.Inline ?? "")),
        [typeof(BasicAuthFilter)] = c => new PasswordCheckFilter((BasicAuthFilter)c, needs.Users.GetValueOrDefault((BasicAuthFilter)c) ?? new PasswordTable(((BasicAuthFilter)c).Users.Inline ?? ""), needs.Passwords),
    };
}
