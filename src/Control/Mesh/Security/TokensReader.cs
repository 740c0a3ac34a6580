using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Core;
using Weft.Api.Istio;
using Weft.Api.Trees;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Security;

/// <summary>Issuers of tokens. One that cannot be used stays as one without keys: its tokens are refused, not passed over.</summary>
internal static class TokensReader
{
    private const string NoKeys = """{"keys":[]}""";

    // Requests wait for keys: longer than this nobody does.
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromMinutes(1);

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

        return new() { Providers = rules.Select(item => Provider(item.Item, $"{MeshIndex.Name(policy)}/{item.Index}", $"spec.jwtRules[{item.Index}]", policy.Metadata.Namespace ?? "", lookups, problems)).ToValueList() };
    }

    /// <param name="namespace">Whose word it is: a host that it does not see is no key server of its own.</param>
    public static JwtProviderConfig Provider(JWTRule rule, string name, string field, string @namespace, MeshLookups lookups, Problems problems)
    {
        var keys = Keys(rule, field, @namespace, lookups, problems);
        var usual = new JwtProviderConfig().FetchTimeout;
        var timeout = Durations.Read(rule.Timeout, $"{field}.timeout", problems) ?? usual;
        if (timeout <= TimeSpan.Zero || timeout > MaxTimeout)
            problems.Error($"{field}.timeout", $"'{rule.Timeout}' is not above zero and a minute at most; keys are fetched within {usual.TotalSeconds:0} s");
        return new()
        {
            Name = name, Issuer = rule.Issuer!, Audiences = rule.Audiences.ToValueList(),
            Jwks = keys.Inline is null ? null : new() { Inline = keys.Inline }, JwksUri = keys.Uri,
            FetchTimeout = timeout > TimeSpan.Zero && timeout <= MaxTimeout ? timeout : usual, SpaceDelimitedClaims = rule.SpaceDelimitedClaims.Distinct().ToValueList(),
            FromHeaders = rule.FromHeaders.Where((header, i) => HeaderTexts.IsFieldName(header.Name, $"{field}.fromHeaders[{i}].name", problems)).Select(header => new TokenHeader(header.Name, header.Prefix ?? "")).ToValueList(),
            FromQuery = rule.FromParams.ToValueList(), FromCookies = rule.FromCookies.ToValueList(), Forward = rule.ForwardOriginalToken == true,
            PayloadHeader = rule.OutputPayloadToHeader is { Length: > 0 } payload && HeaderTexts.IsFieldName(payload, $"{field}.outputPayloadToHeader", problems) ? payload : null,
            ClaimHeaders = rule.OutputClaimToHeaders.Where((claim, i) => HeaderTexts.IsFieldName(claim.Header, $"{field}.outputClaimToHeaders[{i}].header", problems)).Select(claim => new ClaimHeader(claim.Header, claim.Claim)).ToValueList(),
        };
    }

    // Neither: the issuer's own document says where they are.
    private static (string? Inline, string? Uri) Keys(JWTRule rule, string field, string @namespace, MeshLookups lookups, Problems problems)
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

        var isGiven = rule.JwksUri is { Length: > 0 };
        var (text, at) = isGiven ? (rule.JwksUri!, $"{field}.jwksUri") : (rule.Issuer!, $"{field}.issuer");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri is not { Scheme: "https" or "http", UserInfo: "" } || (!isGiven && text.AsSpan().ContainsAny('?', '#')))
        {
            problems.Error(at, isGiven
                ? "is no address with https or http and without a password; tokens of the issuer are refused"
                : "is no address with https or http, where its keys could be looked for; write jwks or jwksUri. Tokens of the issuer are refused until then");
            return (NoKeys, null);
        }

        if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && AddressClaims.OfEndpoint(address, "", lookups) is { } why)
        {
            problems.Error(at, $"'{address}' {why}; tokens of the issuer are refused");
            return (NoKeys, null);
        }

        return Place(uri, at, @namespace, lookups, problems) ? (null, isGiven ? text : null) : (NoKeys, null);
    }

    // What nodes find there is known when they ask. What is known here is said.
    private static bool Place(Uri uri, string at, string @namespace, MeshLookups lookups, Problems problems)
    {
        var name = uri.Host.TrimEnd('.').ToLowerInvariant();
        if (lookups.Host(name) is not { } host || host.Name != name)
        {
            if (name.Split('.', 4) is [_, _, "svc", var domain] && domain == lookups.Settings.ClusterDomain)
                problems.Warn(at, $"'{name}' is no Service that there is; until there is one tokens of the issuer are refused");
            return true;
        }

        if (!KeyHosts.Counts(host, @namespace, lookups.Settings.RootNamespace))
        {
            if (host.Source is Service)
            {
                problems.Error(at, $"'{name}' is a Service that this namespace does not see (its annotation networking.istio.io/exportTo); tokens of the issuer are refused");
                return false;
            }

            problems.Warn(at, HostNames.IsExported(host.ExportTo, host.Namespace, @namespace)
                ? $"'{name}' is a host of a ServiceEntry of namespace '{host.Namespace}', which says nothing of another's key servers: it is looked for outside the mesh; write the ServiceEntry in this namespace, or in {lookups.Settings.RootNamespace} for all"
                : $"'{name}' is a host of a ServiceEntry that this namespace does not see (exportTo), and is looked for outside the mesh");
            return true;
        }

        if (host.Port(uri.Port) is null)
            problems.Warn(at, host.Source is Service ? $"Service '{name}' has no port {uri.Port}; until it has it tokens of the issuer are refused" : $"the ServiceEntry of '{name}' has no port {uri.Port}, and the name is looked for outside the mesh");
        else if (host is { Source: ServiceEntry { Spec: { WorkloadSelector: null, Endpoints: { Count: > 0 } endpoints } }, Resolution: not Resolution.Original }
            && endpoints.Take(ServiceEntrySpec.MostEndpoints).All(endpoint => IPAddress.TryParse(endpoint.Address, out var address) && AddressClaims.OfEndpoint(address, host.Namespace, lookups) is not null))
            problems.Warn(at, $"'{name}' is a host of a ServiceEntry that may have none of its endpoints (its status says why); until it has one tokens of the issuer are refused");
        return true;
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
