namespace Weft.Proxy.Config.Model;

/// <summary>Who makes tokens, and how they are checked.</summary>
public sealed record JwtProviderConfig
{
    /// <summary>In a mesh `namespace/policy/number`: what hosts of the mesh the namespace does not see are none of its key servers.</summary>
    public string Name { get; init; } = "";

    public string Issuer { get; init; } = "";

    /// <summary>One of them must be in the token; none: any audience.</summary>
    public ValueList<string> Audiences { get; init; } = [];

    /// <summary>The keys (a JWK set), here or in a file; null: fetched.</summary>
    public DataSource? Jwks { get; init; }

    /// <summary>`https://...`; fetched again every <see cref="CacheDuration"/>. Null, and no <see cref="Jwks"/>: where the issuer's own document says (OpenID Connect Discovery 1.0), which is fetched as often.</summary>
    public string? JwksUri { get; init; }

    /// <summary>Longest time of a fetch, of both documents together where there are two: Istio's 5 s.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Cluster that <see cref="JwksUri"/> is to be fetched through. Not supported: a configuration that has it is refused.</summary>
    public string? JwksCluster { get; init; }

    /// <summary>Istio's and Envoy's Istio default: 20 min; rotation within it is met by an earlier fetch when an unknown key turns up.</summary>
    public TimeSpan CacheDuration { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Of exp and nbf: Envoy's 60 s.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Where tokens are looked for. `Authorization: Bearer` when none of the three is given (RFC 6750).</summary>
    public ValueList<TokenHeader> FromHeaders { get; init; } = [];

    public ValueList<string> FromQuery { get; init; } = [];

    public ValueList<string> FromCookies { get; init; } = [];

    /// <summary>The endpoint gets the token, too.</summary>
    public bool Forward { get; init; }

    /// <summary>Field with the payload in base64url; null: none.</summary>
    public string? PayloadHeader { get; init; }

    public ValueList<ClaimHeader> ClaimHeaders { get; init; } = [];

    /// <summary>Claims of the top that are lists of words when they are one text, beside `scope` and `permission`, which Istio has so.</summary>
    public ValueList<string> SpaceDelimitedClaims { get; init; } = [];
}

public sealed record TokenHeader(string Name, string Prefix = "");

/// <param name="Claim">Of the top, or nested with dots.</param>
public sealed record ClaimHeader(string Header, string Claim);

/// <summary>Tokens of requests are checked. One that is there and not good is answered 401 in any case.</summary>
public sealed record JwtFilter : FilterConfig
{
    /// <summary>Names of providers; the token's issuer chooses.</summary>
    public ValueList<string> Providers { get; init; } = [];

    /// <summary>Providers of this filter's own, beside <see cref="Providers"/>. Neither: nobody is let in.</summary>
    public ValueList<JwtProviderConfig> Issuers { get; init; } = [];

    /// <summary>A request without a token passes (Istio's RequestAuthentication: policies decide); otherwise 401.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>What a good token must say besides, all of it; otherwise 403.</summary>
    public ValueList<RequiredClaim> Required { get; init; } = [];

    /// <summary>Words that must be among the token's `scope`, or `scp`; otherwise 403, and the answer says which are wanted (RFC 6750 section 3.1).</summary>
    public ValueList<string> Scopes { get; init; } = [];
}

/// <param name="Claim">Of the top, or nested with dots.</param>
/// <param name="Values">One of them; none: it is there at all.</param>
public sealed record RequiredClaim(string Claim, ValueList<string> Values = default);

/// <param name="Client">Who has it: the identity of its requests.</param>
/// <param name="Sha256">Of the key, in hexadecimal: the key itself stands nowhere.</param>
public sealed record ApiKey(string Client, string Sha256);

public sealed record ApiKeyFilter : FilterConfig
{
    public ValueList<ApiKey> Keys { get; init; } = [];

    /// <summary>Lines of `client:sha256`, beside <see cref="Keys"/>.</summary>
    public DataSource? KeyFile { get; init; }

    public string Header { get; init; } = "x-api-key";

    /// <summary>Query parameter; null: not looked at, for it ends up in logs.</summary>
    public string? Query { get; init; }

    public string? Cookie { get; init; }

    /// <summary>The endpoint gets the key, too.</summary>
    public bool Forward { get; init; }

    /// <summary>Field with the client's name for the endpoint; null: none.</summary>
    public string? ClientHeader { get; init; }
}

/// <summary>RFC 7617, against a table of names and hashes.</summary>
public sealed record BasicAuthFilter : FilterConfig
{
    public string Realm { get; init; } = "weft";

    /// <summary>Lines of `name:hash` as htpasswd writes them.</summary>
    public DataSource Users { get; init; } = new();

    public bool Forward { get; init; }

    public string? ClientHeader { get; init; }
}
