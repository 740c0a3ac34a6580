using Weft.Api.FrontDoor;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Security;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.FrontDoor.Policies;

/// <summary>Policies for tokens. An issuer that cannot be used lets nobody in by its tokens; a demand that cannot be read lets nobody in at all.</summary>
internal static class TokenPolicies
{
    private const string NoKeys = """{"keys":[]}""";

    public static JwtFilter Read(JwtPolicy policy, MeshLookups lookups, Problems problems)
    {
        // A user's definition in place of ours may let in null where a list or an item is.
        var spec = policy.Spec ?? new();
        var (scopes, claims) = (spec.RequiredScopes ?? [], spec.RequiredClaims ?? []);
        if (spec.Issuers is not { Count: > 0 })
            problems.Error("spec.issuers", "is missing, so nobody is let in");
        var issuers = (spec.Issuers ?? []).Select((issuer, i) => Issuer(policy, issuer ?? new(), i, lookups, problems)).OfType<JwtProviderConfig>().ToValueList();
        var before = problems.Errors;
        foreach (var (i, scope) in scopes.Index().Where(item => !IsScope(item.Item)))
            problems.Error($"spec.requiredScopes[{i}]", $"'{scope}' is no scope: visible ASCII without quotes and backslashes; nobody is let in");
        foreach (var (i, _) in claims.Index().Where(item => string.IsNullOrEmpty(item.Item?.Claim)))
            problems.Error($"spec.requiredClaims[{i}].claim", "is missing; nobody is let in");
        if (problems.Errors > before || issuers.IsEmpty)
            return new();
        if (spec.Optional == true && claims.Count + scopes.Count > 0)
            problems.Warn("spec.optional", "lets in whoever sends no token: what requiredClaims and requiredScopes ask is asked of tokens alone. Leave it out where everybody must have one");
        return new()
        {
            Issuers = issuers, AllowMissing = spec.Optional == true, Scopes = scopes.Distinct().ToValueList(),
            Required = claims.Select(required => new RequiredClaim(required.Claim, (required.Values ?? []).ToValueList())).ToValueList(),
        };
    }

    private static JwtProviderConfig? Issuer(JwtPolicy policy, TokenIssuer issuer, int index, MeshLookups lookups, Problems problems)
    {
        var field = $"spec.issuers[{index}]";
        if (string.IsNullOrEmpty(issuer.Issuer))
        {
            problems.Error($"{field}.issuer", "is missing; without it nobody knows whose tokens are meant");
            return null;
        }

        // The same words as in a RequestAuthentication mean the same.
        var rule = new JWTRule
        {
            Issuer = issuer.Issuer, Audiences = issuer.Audiences, JwksUri = issuer.JwksUri, Jwks = issuer.JwksFrom is { } from ? Keys(policy, issuer, from, field, lookups, problems) : issuer.Jwks,
            FromHeaders = issuer.FromHeaders, FromParams = issuer.FromParams, FromCookies = issuer.FromCookies, OutputPayloadToHeader = issuer.OutputPayloadToHeader,
            OutputClaimToHeaders = issuer.OutputClaimToHeaders, ForwardOriginalToken = issuer.ForwardOriginalToken, SpaceDelimitedClaims = issuer.SpaceDelimitedClaims, Timeout = issuer.Timeout,
        };
        return TokensReader.Provider(rule, $"{MeshIndex.Name(policy)}/{index}", field, policy.Metadata.Namespace ?? "", lookups, problems);
    }

    private static string Keys(JwtPolicy policy, TokenIssuer issuer, KeySetSource from, string field, MeshLookups lookups, Problems problems)
    {
        var (name, entry) = (from.SecretRef?.Name ?? "", from.SecretRef?.Key is { Length: > 0 } named ? named : "jwks");
        if (issuer.Jwks is not null)
            problems.Error($"{field}.jwks", "stands beside jwksFrom, which counts; keep one");
        if (lookups.Secret(policy.Metadata.Namespace ?? "", name) is not { } secret)
            problems.Error($"{field}.jwksFrom.secretRef.name", $"there is no Secret '{name}'; tokens of the issuer are refused until it is there");
        else if (secret.KeySets.FirstOrDefault(set => set.Name == entry) is { } keys)
            return keys.Json;
        else
            problems.Error($"{field}.jwksFrom.secretRef.key", $"Secret '{name}' has no JWK set with a public key at its entry '{entry}'; tokens of the issuer are refused");
        return NoKeys;
    }

    // RFC 6749 section 3.3.
    private static bool IsScope(string? text) => !string.IsNullOrEmpty(text) && text.All(c => c is > ' ' and <= '~' and not '"' and not '\\');
}
