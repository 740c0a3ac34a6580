using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using Weft.Jose;
using Weft.Storage;

namespace Weft.ApiServer.Authentication;

/// <param name="Kind">Pod, Secret or Node.</param>
public sealed record BoundObject(string Kind, string Name, string Uid)
{
    /// <summary>The node that a bound pod runs on.</summary>
    public BoundObject? Node { get; init; }
}

/// <param name="Refusal">Why not, for a person and the log; null when the token is good.</param>
/// <param name="Audiences">Those that both the token and the verifier named.</param>
public sealed record TokenVerdict(UserInfo? User, IReadOnlyList<string> Audiences, string? Refusal);

/// <summary>
/// Makes and checks the tokens of service accounts. They are bound: to audiences, a time, a service account (by uid), and mostly a pod; with any of
/// these gone the token is worthless. Tokens kept in Secrets are not served.
/// </summary>
public sealed class ServiceAccountTokens(SigningKey key, KeySet keys, ServiceAccountTokenOptions options, StoredObjects objects, TimeProvider time)
{
    private const string PrivateClaim = "kubernetes.io";

    // Kubernetes lets a token of an object under deletion live on for a minute past its deadline: the last requests of a pod that shuts down.
    private static readonly TimeSpan DeletionLeeway = TimeSpan.FromSeconds(60);

    private readonly VerifiedTokens _verified = new();
    private readonly JwtRules _rules = new() { Issuer = options.Issuer };

    public ServiceAccountTokenOptions Options => options;

    /// <summary>The keys that verify the tokens: the current one, and earlier ones while their tokens live.</summary>
    public KeySet Keys => keys;

    public (string Token, DateTimeOffset Expires) Issue(JsonObject serviceAccount, IReadOnlyList<string> audiences, TimeSpan life, BoundObject? bound)
    {
        var now = time.GetUtcNow();
        var expires = DateTimeOffset.FromUnixTimeSeconds((now + life).ToUnixTimeSeconds());
        var (ns, name) = (Metadata.Namespace(serviceAccount), Metadata.Name(serviceAccount));
        var claim = new JsonObject { ["namespace"] = ns, ["serviceaccount"] = Reference(name, Metadata.Uid(serviceAccount)) };
        if (bound is not null)
            claim[bound.Kind.ToLowerInvariant()] = Reference(bound.Name, bound.Uid);
        if (bound?.Node is { } node)
            claim["node"] = Reference(node.Name, node.Uid);

        var claims = new JsonObject
        {
            ["aud"] = new JsonArray([.. audiences.Select(JsonNode (a) => a)]),
            ["exp"] = expires.ToUnixTimeSeconds(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["iss"] = options.Issuer,
            ["jti"] = new Guid(RandomNumberGenerator.GetBytes(16)).ToString(),
            [PrivateClaim] = claim,
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["sub"] = ServiceAccountNames.User(ns, name),
        };
        return (Jwt.Sign(claims, key), expires);
    }

    /// <summary>True when the token claims this issuer: then it is ours to judge.</summary>
    public bool IsOurs(string token) => JwtClaims.PeekIssuer(token) == options.Issuer;

    /// <summary>The user of a token that was good for this server before, and still is; null when it must be looked at.</summary>
    internal UserInfo? Known(ReadOnlySpan<char> token)
    {
        if (_verified.Find(token) is not { } known)
            return null;
        var now = time.GetUtcNow();
        var holds = now >= known.From && now < known.Until;
        foreach (var entry in known.BoundTo)
            holds = holds && ReferenceEquals(objects.Find(entry.Key), entry);
        if (holds)
            return known.User;
        _verified.Remove(token);
        return null;
    }

    /// <param name="audiences">The verifier's; empty for the API server's own.</param>
    public TokenVerdict Verify(string token, IReadOnlyList<string> audiences)
    {
        var wanted = audiences.Count > 0 ? audiences : options.Audiences;
        var result = Jwt.Verify(token, keys, _rules with { Audiences = wanted }, time.GetUtcNow());
        if (!result.Succeeded)
            return Refuse(TokenErrors.Describe(result.Error));
        var bound = new Bound();
        var verdict = Check(result.Claims!, wanted, bound);
        if (audiences.Count == 0 && verdict.User is { } user && !bound.IsEnding && result.Claims is { Expires: { } until } claims)
            _verified.Add(token, new(user, claims.NotBefore ?? DateTimeOffset.MinValue, until, bound.To));
        return verdict;
    }

    private TokenVerdict Check(JwtClaims claims, IReadOnlyList<string> wanted, Bound bound)
    {
        if (!claims.Root.TryGetProperty(PrivateClaim, out var claim) || claim.ValueKind != JsonValueKind.Object
            || Text(claim, "namespace") is not { } ns || Read(claim, "ServiceAccount", "serviceaccount") is not { } account
            || claims.Subject != ServiceAccountNames.User(ns, account.Name))
            return Refuse("the token names no service account");

        if (Missing("serviceaccounts", ns, account, bound) is { } reason)
            return Refuse(reason);
        var pod = Read(claim, "Pod", "pod");
        if (pod is not null && Missing("pods", ns, pod, bound) is { } podReason)
            return Refuse(podReason);
        if (Read(claim, "Secret", "secret") is { } secret && Missing("secrets", ns, secret, bound) is { } secretReason)
            return Refuse(secretReason);
        var node = Read(claim, "Node", "node");
        // Of a pod's token the node is a remark, which ends with the pod; else the token is bound to it.
        if (node is not null && pod is null && Missing("nodes", "", node, bound) is { } nodeReason)
            return Refuse(nodeReason);

        var user = new UserInfo(claims.Subject!, ServiceAccountNames.Groups(ns)) { Uid = account.Uid, Extra = Extra(claims, pod, node) };
        return new TokenVerdict(user, [.. wanted.Where(claims.Audiences.Contains)], null);
    }

    private string? Missing(string resource, string ns, BoundObject wanted, Bound bound)
    {
        var entry = objects.Find("", resource, ns, wanted.Name);
        var found = entry is null ? null : StoredObjects.Parse(entry);
        if (found is null || Metadata.Uid(found) != wanted.Uid)
            return $"the {wanted.Kind} that the token is bound to no longer exists";
        bound.To.Add(entry!);
        var deadline = Metadata.Text(found["metadata"] as JsonObject, "deletionTimestamp");
        if (deadline.Length == 0)
            return null;
        bound.IsEnding = true;
        return DateTimeOffset.TryParse(deadline, out var deleted) && deleted + DeletionLeeway < time.GetUtcNow()
            ? $"the {wanted.Kind} that the token is bound to has been deleted"
            : null;
    }

    private static Dictionary<string, IReadOnlyList<string>> Extra(JwtClaims claims, BoundObject? pod, BoundObject? node)
    {
        var extra = new Dictionary<string, IReadOnlyList<string>>();
        if (claims.Id is { } id)
            extra["authentication.kubernetes.io/credential-id"] = ["JTI=" + id];
        if (node is not null)
        {
            extra["authentication.kubernetes.io/node-name"] = [node.Name];
            extra["authentication.kubernetes.io/node-uid"] = [node.Uid];
        }

        if (pod is not null)
        {
            extra["authentication.kubernetes.io/pod-name"] = [pod.Name];
            extra["authentication.kubernetes.io/pod-uid"] = [pod.Uid];
        }

        return extra;
    }

    private static JsonObject Reference(string name, string uid) => new() { ["name"] = name, ["uid"] = uid };

    private static BoundObject? Read(JsonElement claim, string kind, string member) =>
        claim.TryGetProperty(member, out var reference) && reference.ValueKind == JsonValueKind.Object
            ? new BoundObject(kind, Text(reference, "name") ?? "", Text(reference, "uid") ?? "")
            : null;

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>What a token hangs on. Of an object under deletion time alone decides: its token is looked at each time.</summary>
    private sealed class Bound
    {
        public List<Entry> To { get; } = [];
        public bool IsEnding { get; set; }
    }

    private static TokenVerdict Refuse(string reason) => new(null, [], reason);
}
