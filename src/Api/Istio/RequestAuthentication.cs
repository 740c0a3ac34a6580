using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>Whose tokens requests may carry.</summary>
[Kind("security.istio.io", "v1", "RequestAuthentication", ShortNames = ["ra"], Categories = ["istio-io", "security-istio-io"],
    OlderVersions = ["v1beta1"], DefinitionPrefix = "io.istio.security.v1")]
public sealed record RequestAuthentication : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For which workloads, and whose tokens.</summary>
    public RequestAuthenticationSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>For which workloads, and whose tokens.</summary>
public sealed record RequestAuthenticationSpec
{
    /// <summary>The workloads; all of the namespace when absent, all of the mesh in the root namespace.</summary>
    public PolicySelector? Selector { get; init; }

    /// <summary>Deprecated: one object in place of workloads.</summary>
    public PolicyTargetReference? TargetRef { get; init; }

    /// <summary>Objects in place of workloads.</summary>
    public IReadOnlyList<PolicyTargetReference> TargetRefs { get; init; } = [];

    /// <summary>Issuers. A token of none of them is refused; a request without a token passes.</summary>
    public IReadOnlyList<JWTRule> JwtRules { get; init; } = [];
}

/// <summary>An issuer of tokens.</summary>
public sealed record JWTRule
{
    /// <summary>Its name in tokens; any when absent, which needs jwksUri.</summary>
    public string? Issuer { get; init; }

    /// <summary>One of them must be in the token; any when empty.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>Where its keys are.</summary>
    public string? JwksUri { get; init; }

    /// <summary>Its keys.</summary>
    public string? Jwks { get; init; }

    /// <summary>Fields that carry tokens; Authorization: Bearer by default.</summary>
    public IReadOnlyList<JWTHeader> FromHeaders { get; init; } = [];

    /// <summary>Query parameters that carry tokens.</summary>
    public IReadOnlyList<string> FromParams { get; init; } = [];

    /// <summary>Field that gets the payload in base64url.</summary>
    public string? OutputPayloadToHeader { get; init; }

    /// <summary>Whether the workload gets the token, too.</summary>
    public bool? ForwardOriginalToken { get; init; }

    /// <summary>Fields that get claims.</summary>
    public IReadOnlyList<ClaimToHeader> OutputClaimToHeaders { get; init; } = [];

    /// <summary>Claims that are lists of words, beside scope and permission.</summary>
    public IReadOnlyList<string> SpaceDelimitedClaims { get; init; } = [];

    /// <summary>Longest time of fetching the keys; 5s by default.</summary>
    public string? Timeout { get; init; }

    /// <summary>Cookies that carry tokens.</summary>
    public IReadOnlyList<string> FromCookies { get; init; } = [];
}

/// <summary>A field that carries tokens.</summary>
public sealed record JWTHeader
{
    /// <summary>Name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>What stands before the token, with its space.</summary>
    public string? Prefix { get; init; }
}

/// <summary>A field that gets a claim.</summary>
public sealed record ClaimToHeader
{
    /// <summary>Name of the field.</summary>
    [Must] public string Header { get; init; } = "";

    /// <summary>Name of the claim.</summary>
    [Must] public string Claim { get; init; } = "";
}
