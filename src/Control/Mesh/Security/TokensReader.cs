using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Istio;
using Weft.Api.Trees;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Security;

/// <summary>Issuers of tokens. One that cannot be used stays as one without keys: its tokens are refused, not passed over.</summary>
internal static class TokensReader
{
    private const string NoKeys = """{"keys":[]}""";

    public static TokensUnit Read(RequestAuthentication policy, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var (problems, spec) = (Problems.Of(policy, diagnostics), policy.Spec);
        Selection.Check(PolicyScope.Of(policy), lookups, problems);
        var rules = spec.JwtRules.Index().Where(item => !string.IsNullOrEmpty(item.Item.Issuer)).ToList();
        foreach (var (i, rule) in spec.JwtRules.Index().Where(item => string.IsNullOrEmpty(item.Item.Issuer)))
        {
            if (rule.JwksUri is null)
                problems.Error($"spec.jwtRules[{i}].issuer", "is missing; without it nobody knows whose tokens are meant");
            else
                problems.Ineffective($"spec.jwtRules[{i}]", $"spec.jwtRules[{i}].issuer", "tokens of any issuer are not taken, so the rule has no effect; name the issuer");
        }

        return new() { Providers = rules.Select(item => Provider(policy, item.Item, item.Index, problems)).ToValueList() };
    }

    private static JwtProviderConfig Provider(RequestAuthentication policy, JWTRule rule, int index, Problems problems)
    {
        var field = $"spec.jwtRules[{index}]";
        var keys = Keys(rule, field, problems);
        if (rule.Timeout is not null && Durations.Read(rule.Timeout, $"{field}.timeout", problems) is not null)
            problems.Unsupported($"{field}.timeout", "keys are fetched with a time-out of the proxy's own");
        problems.UnsupportedIf(rule.SpaceDelimitedClaims.Count > 0, $"{field}.spaceDelimitedClaims", "only scope is a list of words");
        return new()
        {
            Name = $"{MeshIndex.Name(policy)}/{index}", Issuer = rule.Issuer!, Audiences = rule.Audiences.ToValueList(),
            Jwks = keys.Inline is null ? null : new() { Inline = keys.Inline }, JwksUri = keys.Uri,
            FromHeaders = rule.FromHeaders.Where((header, i) => HeaderTexts.IsFieldName(header.Name, $"{field}.fromHeaders[{i}].name", problems)).Select(header => new TokenHeader(header.Name, header.Prefix ?? "")).ToValueList(),
            FromQuery = rule.FromParams.ToValueList(), FromCookies = rule.FromCookies.ToValueList(), Forward = rule.ForwardOriginalToken == true,
            PayloadHeader = rule.OutputPayloadToHeader is { Length: > 0 } payload && HeaderTexts.IsFieldName(payload, $"{field}.outputPayloadToHeader", problems) ? payload : null,
            ClaimHeaders = rule.OutputClaimToHeaders.Where((claim, i) => HeaderTexts.IsFieldName(claim.Header, $"{field}.outputClaimToHeaders[{i}].header", problems)).Select(claim => new ClaimHeader(claim.Header, claim.Claim)).ToValueList(),
        };
    }

    private static (string? Inline, string? Uri) Keys(JWTRule rule, string field, Problems problems)
    {
        if (rule.Jwks is { Length: > 0 } inline)
        {
            if (rule.JwksUri is not null)
                problems.Error($"{field}.jwksUri", "stands beside jwks, which counts; keep one");
            if (IsKeySet(inline))
                return (inline, null);
            problems.Error($"{field}.jwks", "is no JWK set, and tokens of the issuer are refused; write {\"keys\": [...]}, each name once");
            return (NoKeys, null);
        }

        if (rule.JwksUri is not { Length: > 0 } address)
        {
            problems.Unsupported(field, "has neither jwks nor jwksUri, and keys are not looked for at the issuer; tokens of the issuer are refused until one is written");
            return (NoKeys, null);
        }

        if (Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri is { Scheme: "https" or "http", UserInfo: "" })
            return (null, address);
        problems.Error($"{field}.jwksUri", "is no address with https or http and without a password; tokens of the issuer are refused");
        return (NoKeys, null);
    }

    private static bool IsKeySet(string text)
    {
        try
        {
            // Of two values of a name readers take one or the other: a set with such names is nobody's.
            return JsonTree.Parse(Encoding.UTF8.GetBytes(text)) is { Root: JsonObject set, Duplicates.Count: 0 } && set["keys"] is JsonArray;
        }
        catch (TreeException)
        {
            return false;
        }
    }
}
