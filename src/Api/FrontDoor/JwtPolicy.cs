using Weft.Api.Istio;
using Weft.Api.Schemas;

namespace Weft.Api.FrontDoor;

/// <summary>Tokens that requests at the front door must have.</summary>
[Kind("weft.dev", "v1", "JwtPolicy", Plural = "jwtpolicies", ShortNames = ["jwtp"], Categories = ["weft"], DefinitionPrefix = "dev.weft.v1")]
public sealed record JwtPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For what, and whose tokens.</summary>
    public JwtPolicySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>For what, and whose tokens.</summary>
public sealed record JwtPolicySpec
{
    /// <summary>Gateway, Ingress, VirtualService or Service of the policy's own namespace. An Ingress may also name the policy, by the annotation weft.dev/jwt-policy.</summary>
    public IReadOnlyList<PolicyTargetReference> TargetRefs { get; init; } = [];

    /// <summary>Whose tokens are taken; a token's own issuer chooses.</summary>
    [Must, Count(1, 16)] public IReadOnlyList<TokenIssuer> Issuers { get; init; } = [];

    /// <summary>Whether requests without a token pass, also where claims or scopes are required: these are asked of tokens. A token that is not good is refused in any case.</summary>
    public bool? Optional { get; init; }

    /// <summary>What a token must say besides, all of it. With optional nobody needs a token.</summary>
    [Count(0, 16)] public IReadOnlyList<TokenClaim> RequiredClaims { get; init; } = [];

    /// <summary>Words that must be among its scope, all of them.</summary>
    [Count(0, 16), Length(1, 256), Pattern(@"^[!#-\[\]-~]+$")] public IReadOnlyList<string> RequiredScopes { get; init; } = [];
}

/// <summary>An issuer of tokens. Without keys and an address of them, they are where the issuer's own document says (OpenID Connect Discovery).</summary>
[Rule("(has(self.jwks) ? 1 : 0) + (has(self.jwksUri) ? 1 : 0) + (has(self.jwksFrom) ? 1 : 0) <= 1", "has one of jwks, jwksUri and jwksFrom; with none, the keys are looked for at the issuer")]
[Rule("has(self.jwks) || has(self.jwksUri) || has(self.jwksFrom) || self.issuer.startsWith('https://') || self.issuer.startsWith('http://')", "without jwks, jwksUri and jwksFrom the issuer must be an address, at which its keys are looked for")]
public sealed record TokenIssuer
{
    /// <summary>Its name in tokens.</summary>
    [Must, Length(1, 2048)] public string Issuer { get; init; } = "";

    /// <summary>One of them must be in the token; any when empty.</summary>
    [Count(0, 64), Length(1, 2048)] public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>Where its keys are.</summary>
    [Length(1, 2048), Pattern("^https?://[^/@]+(/.*)?$")] public string? JwksUri { get; init; }

    /// <summary>Its keys.</summary>
    public string? Jwks { get; init; }

    /// <summary>Its keys, as an entry of a Secret.</summary>
    public KeySetSource? JwksFrom { get; init; }

    /// <summary>Fields that carry tokens; Authorization: Bearer when nothing is said of fields, parameters and cookies.</summary>
    public IReadOnlyList<JWTHeader> FromHeaders { get; init; } = [];

    /// <summary>Query parameters that carry tokens.</summary>
    public IReadOnlyList<string> FromParams { get; init; } = [];

    /// <summary>Cookies that carry tokens.</summary>
    public IReadOnlyList<string> FromCookies { get; init; } = [];

    /// <summary>Field that gets the payload in base64url.</summary>
    public string? OutputPayloadToHeader { get; init; }

    /// <summary>Fields that get claims; what clients send in them is taken off.</summary>
    public IReadOnlyList<ClaimToHeader> OutputClaimToHeaders { get; init; } = [];

    /// <summary>Whether the endpoint gets the token, too.</summary>
    public bool? ForwardOriginalToken { get; init; }

    /// <summary>Claims that are lists of words, beside scope and permission.</summary>
    public IReadOnlyList<string> SpaceDelimitedClaims { get; init; } = [];

    /// <summary>Longest time of fetching the keys; 5s by default, a minute at most.</summary>
    public string? Timeout { get; init; }
}

/// <summary>Where keys stand.</summary>
public sealed record KeySetSource
{
    /// <summary>Entry of a Secret; jwks when it is not named.</summary>
    [Must] public SecretEntry SecretRef { get; init; } = new();
}

/// <summary>A claim that a token must have.</summary>
public sealed record TokenClaim
{
    /// <summary>Its name; nested with dots.</summary>
    [Must, Length(1, 256)] public string Claim { get; init; } = "";

    /// <summary>One of them must be its value, or among its values; any when empty.</summary>
    [Count(0, 64)] public IReadOnlyList<string> Values { get; init; } = [];
}
