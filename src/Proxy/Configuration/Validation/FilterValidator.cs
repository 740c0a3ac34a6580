using System.Buffers;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authentication;
using Weft.Proxy.Filters.Authentication.Passwords;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Configuration.Validation;

internal static class FilterValidator
{
    private static readonly SearchValues<char> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // What frames a message is the codecs' alone (RFC 9112 section 6, RFC 9113 section 8.2.2): a field set here could make one message into two.
    private static readonly HashSet<string> Framing =
        new(["connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "proxy-connection", "http2-settings"], StringComparer.OrdinalIgnoreCase);

    /// <summary>RFC 9110 section 5.6.2.</summary>
    public static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(Token);

    public static bool IsValue(string text) => !text.Any(c => c is (< ' ' and not '\t') or '\u007f');

    public static void Edits(HeaderEdits edits, string path, ConfigErrors errors)
    {
        foreach (var (name, list) in new[] { ("set", edits.Set), ("add", edits.Add) })
        {
            foreach (var header in list)
            {
                var at = $"{path}.{name}.{header.Name}";
                errors.Require(IsToken(header.Name) || header.Name == ":authority", at, $"'{header.Name}' is no name of a field");
                errors.Require(!Framing.Contains(header.Name), at, "frames messages and cannot be set");
                errors.Require(IsValue(header.Value), at, "has a control character");
                errors.Compiles(() => ValueTemplate.Parse(header.Value), at);
            }
        }

        foreach (var name in edits.Remove)
            errors.Require(IsToken(name) && !Framing.Contains(name), $"{path}.remove", $"'{name}' cannot be removed");
    }

    // RFC 6749 section 3.3.
    private static bool IsScope(string text) => text.Length > 0 && text.All(c => c is > ' ' and <= '~' and not '"' and not '\\');

    /// <summary>A field that a filter may write: a name, and none that frames messages.</summary>
    public static bool IsOwnHeader(string name) => IsToken(name) && !Framing.Contains(name);

    /// <summary>A field that a filter writes for the endpoint.</summary>
    public static void OwnHeader(string name, string path, ConfigErrors errors) => errors.Require(IsOwnHeader(name), path, $"'{name}' cannot be set as a field");

    public static void Validate(FilterConfig filter, string path, KnownNames known, ConfigErrors errors)
    {
        switch (filter)
        {
            case HeaderFilter headers:
                Edits(headers.Request, $"{path}.request", errors);
                Edits(headers.Response, $"{path}.response", errors);
                break;
            case CorsFilter cors:
                errors.Require(!cors.AllowCredentials || !cors.AllowOrigins.Contains(StringMatch.Exact("*")), $"{path}.allowOrigins", "`*` with credentials would let every site act as the user; name the origins");
                foreach (var (i, origin) in cors.AllowOrigins.Index())
                    errors.Compiles(() => _ = new TextMatcher(origin), $"{path}.allowOrigins[{i}]");
                foreach (var name in cors.AllowMethods.Concat(cors.AllowHeaders).Concat(cors.ExposeHeaders))
                    errors.Require(IsToken(name), path, $"'{name}' is neither a method nor a name of a field");
                break;
            case FaultFilter fault:
                errors.Fraction(fault.DelayFraction, $"{path}.delayFraction");
                errors.Fraction(fault.AbortFraction, $"{path}.abortFraction");
                errors.NotNegative(fault.Delay, $"{path}.delay");
                errors.Require(fault.AbortStatus is 0 or (>= 200 and <= 599), $"{path}.abortStatus", $"{fault.AbortStatus} is no final status; 200 to 599");
                errors.Require(fault.AbortGrpcStatus is null or (>= 0 and <= 16), $"{path}.abortGrpcStatus", "is 0 to 16");
                break;
            case RateLimitFilter limit:
                errors.AtLeast(limit.Requests, 1, $"{path}.requests");
                errors.Require(limit.Per > TimeSpan.Zero, $"{path}.per", "must be above zero");
                errors.AtLeast(limit.Burst, 0, $"{path}.burst");
                errors.AtLeast(limit.MaxKeys, 1, $"{path}.maxKeys");
                errors.Require(limit.Status is >= 400 and <= 599, $"{path}.status", $"{limit.Status} is no refusal; 400 to 599");
                break;
            case BodyLimitFilter body:
                errors.AtLeast(body.MaxRequestBytes, 1, path);
                break;
            case AuthorizationFilter authorization:
                foreach (var (i, policy) in authorization.Policies.Index())
                {
                    errors.Name(policy.Name, $"{path}.policies[{i}].name");
                    Rules(policy.Rules, $"{path}.policies[{i}].rules", errors);
                }

                break;
            case ExternalAuthorizationFilter external:
                known.Cluster(external.Cluster, null, $"{path}.cluster", errors);
                errors.Require(external.Timeout > TimeSpan.Zero, $"{path}.timeout", "must be above zero");
                errors.Require(external.ErrorStatus is >= 400 and <= 599, $"{path}.errorStatus", $"{external.ErrorStatus} is no refusal; 400 to 599");
                errors.Require(external.PathPrefix.Length == 0 || external.PathPrefix.StartsWith('/'), $"{path}.pathPrefix", "begins with a slash");
                errors.Require(external.PathPrefix.Length == 0 || external.Protocol == AuthorizerProtocol.Http, $"{path}.pathPrefix", "is for protocol: http; gRPC has one path");
                errors.Require(external.Path is null || (external.Path.StartsWith('/') && external.Path.All(c => c is > ' ' and <= '~')), $"{path}.path", "begins with a slash and has no other characters than an address has");
                errors.Require(external.Path is null || external is { PathPrefix.Length: 0, Protocol: AuthorizerProtocol.Http }, $"{path}.path", "is for protocol: http, without pathPrefix");
                errors.Require(external.Method is null || (IsToken(external.Method) && external.Protocol == AuthorizerProtocol.Http), $"{path}.method", $"'{external.Method}' is no method, or the protocol is not http");
                Rules(external.When, $"{path}.when", errors);
                break;
            case JwtFilter jwt:
                errors.Require(!jwt.AllowMissing || !jwt.Providers.IsEmpty || !jwt.Issuers.IsEmpty, $"{path}.providers", "is missing");
                foreach (var (i, issuer) in jwt.Issuers.Index())
                {
                    ConfigValidator.Provider(issuer, $"{path}.issuers[{i}]", errors);
                    errors.Require(issuer.Jwks?.File is null, $"{path}.issuers[{i}].jwks", "is a file; a provider with a file has a name, and stands among jwtProviders");
                }

                errors.Unique(jwt.Issuers, issuer => issuer.Name, i => $"{path}.issuers[{i}].name", "provider");
                foreach (var (i, required) in jwt.Required.Index())
                    errors.Require(required.Claim.Length > 0, $"{path}.required[{i}].claim", "is missing");
                foreach (var (i, scope) in jwt.Scopes.Index())
                    errors.Require(IsScope(scope), $"{path}.scopes[{i}]", $"'{scope}' is no scope: visible ASCII without quotes and backslashes");
                foreach (var (i, name) in jwt.Providers.Index())
                    known.Provider(name, $"{path}.providers[{i}]", errors);
                break;
            case ApiKeyFilter keys:
                errors.Require(!keys.Keys.IsEmpty || keys.KeyFile is not null, path, "needs keys or keyFile");
                errors.Compiles(() => _ = new ApiKeyTable(keys.Keys, keys.KeyFile?.Inline ?? ""), $"{path}.keys");
                errors.Require(keys.Header.Length == 0 || IsToken(keys.Header), $"{path}.header", $"'{keys.Header}' is no name of a field");
                errors.Require(keys.Header.Length > 0 || keys.Query is not null || keys.Cookie is not null, path, "needs one of header, query, cookie");
                if (keys.KeyFile is { } file)
                    ConfigValidator.Source(file, $"{path}.keyFile", errors);
                if (keys.ClientHeader is { } client)
                    OwnHeader(client, $"{path}.clientHeader", errors);
                break;
            case BasicAuthFilter basic:
                ConfigValidator.Source(basic.Users, $"{path}.users", errors);
                errors.Compiles(() => _ = new PasswordTable(basic.Users.Inline ?? ""), $"{path}.users");
                errors.Require(basic.Realm.All(c => c is >= ' ' and <= '~' and not '"' and not '\\'), $"{path}.realm", "is of ASCII without quotes and backslashes");
                if (basic.ClientHeader is { } user)
                    OwnHeader(user, $"{path}.clientHeader", errors);
                break;
        }
    }

    private static void Rules(ValueList<AuthorizationRule> rules, string path, ConfigErrors errors)
    {
        foreach (var (i, rule) in rules.Index())
            errors.Compiles(() => _ = new PolicyRule(rule), $"{path}[{i}]");
    }
}
