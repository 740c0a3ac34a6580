using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authentication;
using Weft.Proxy.Filters.Authentication.Passwords;
using Weft.Proxy.Filters.Jwt;

namespace Weft.Proxy.Filters;

/// <summary>What filters of one configuration need beside their records: providers by name, tables that were read.</summary>
internal sealed record FilterNeeds(
    IReadOnlyDictionary<string, TokenIssuer> Issuers, IReadOnlyDictionary<JwtProviderConfig, TokenIssuer> OwnIssuers, IReadOnlyDictionary<ApiKeyFilter, ApiKeyTable> Keys, IReadOnlyDictionary<BasicAuthFilter, PasswordTable> Users,
    PasswordWorkers Passwords);
