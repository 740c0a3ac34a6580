using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authentication;
using Weft.Proxy.Filters.Authentication.Passwords;
using Weft.Proxy.Filters.Jwt;

namespace Weft.Proxy.Filters;

/// <summary>What filters of one configuration need beside their records: providers by name, tables that were read. What stands in a record whole is made with its filter.</summary>
/// <param name="IssuerOf">Of a filter's own providers: the same for equal ones, as long as a filter has it.</param>
internal sealed record FilterNeeds(
    IReadOnlyDictionary<string, TokenIssuer> Issuers, Func<JwtProviderConfig, TokenIssuer> IssuerOf, IReadOnlyDictionary<ApiKeyFilter, ApiKeyTable> Keys, IReadOnlyDictionary<BasicAuthFilter, PasswordTable> Users,
    PasswordWorkers Passwords);
