using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Subresources;

namespace Weft.ApiServer.Authentication;

/// <summary>`serviceaccounts/token`: makes a bound token.</summary>
public sealed class TokenRequests(ServiceAccountTokens tokens, StoredObjects objects, TimeProvider time) : IVirtualResource
{
    // Kubernetes' bounds: tokens below ten minutes would be renewed all the time.
    private const long MinSeconds = 600;
    private const long MaxSeconds = 1L << 32;
    private const long DefaultSeconds = 3600;

    private static readonly GroupVersionKind Kind = new("authentication.k8s.io", "v1", "TokenRequest");
    private static readonly GroupVersionResource ServiceAccounts = new("", "v1", "serviceaccounts");

    public bool Serves(GroupVersionResource resource, string subresource) =>
        resource is { Group: "", Resource: "serviceaccounts" } && subresource == "token";

    public ValueTask<JsonObject> CreateAsync(VirtualRequest request, CancellationToken cancellationToken)
    {
        var account = request.Parent ?? throw Statuses.NotFound(ServiceAccounts, request.Info.Name);
        var spec = request.Body["spec"] as JsonObject ?? [];
        var audiences = Metadata.Strings(spec, "audiences");
        if (audiences.Count == 0)
            audiences = tokens.Options.Audiences;
        var seconds = Metadata.Number(spec, "expirationSeconds") ?? DefaultSeconds;
        Validate(account, seconds, audiences);

        var bound = Bound(account, spec["boundObjectRef"] as JsonObject);
        RequireOwnPod(request.User, account, bound);
        // The longest life is about 136 years: far from the end of time, but not of the calendar's arithmetic.
        var (token, expires) = request.DryRun ? ("", time.GetUtcNow().AddSeconds(seconds)) : tokens.Issue(account, audiences, TimeSpan.FromSeconds(seconds), bound);
        return new(Answer(account, spec, audiences, seconds, token, expires));
    }

    private static void Validate(JsonObject account, long seconds, IReadOnlyList<string> audiences)
    {
        var errors = new List<FieldError>();
        if (seconds < MinSeconds)
            errors.Add(FieldError.Invalid("spec.expirationSeconds", $"{seconds}", "may not specify a duration less than 10 minutes"));
        if (seconds > MaxSeconds)
            errors.Add(FieldError.Invalid("spec.expirationSeconds", $"{seconds}", "may not specify a duration larger than 2^32 seconds"));
        if (audiences.Count > 64 || audiences.Sum(a => a.Length) > 4096)
            errors.Add(new FieldError(FieldErrorKind.TooMany, "spec.audiences", null, "may not have more than 64 audiences of 4096 characters together"));
        if (errors.Count > 0)
            throw Statuses.Invalid(Kind, Metadata.Name(account), errors);
    }

    private BoundObject? Bound(JsonObject account, JsonObject? reference)
    {
        if (reference is null)
            return null;
        var (kind, name, uid) = (Metadata.Text(reference, "kind"), Metadata.Text(reference, "name"), Metadata.Text(reference, "uid"));
        var version = Metadata.Text(reference, "apiVersion");
        var resource = (version, kind) switch
        {
            ("v1" or "", "Pod") => "pods",
            ("v1" or "", "Secret") => "secrets",
            ("v1" or "", "Node") => "nodes",
            _ => throw Statuses.BadRequest($"cannot bind token to object of type {version}, Kind={kind}"),
        };

        var plural = new GroupVersionResource("", "v1", resource);
        var found = objects.Get("", resource, kind == "Node" ? "" : Metadata.Namespace(account), name) ?? throw Statuses.NotFound(plural, name);
        var actual = Metadata.Uid(found);
        if (uid.Length > 0 && uid != actual)
        {
            throw Statuses.Conflict(plural, name,
                $"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated");
        }

        if (kind != "Pod")
            return new BoundObject(kind, name, actual);
        var podSpec = found["spec"] as JsonObject;
        // A pod without an account, such as a mirror pod, has no token to be bound to it.
        if (Metadata.Text(podSpec, "serviceAccountName") != Metadata.Name(account))
            throw Statuses.BadRequest($"cannot bind token for serviceaccount \"{Metadata.Name(account)}\" to pod running with different serviceaccount name.");
        return new BoundObject(kind, name, actual) { Node = NodeOf(podSpec) };
    }

    private BoundObject? NodeOf(JsonObject? podSpec) =>
        Metadata.Text(podSpec, "nodeName") is { Length: > 0 } name && objects.Get("", "nodes", "", name) is { } node
            ? new BoundObject("Node", name, Metadata.Uid(node))
            : null;

    /// <summary>A node gets tokens only for pods that run on it: else one captured node could speak for every workload.</summary>
    private void RequireOwnPod(UserInfo user, JsonObject account, BoundObject? bound)
    {
        if (NodeIdentity.NodeName(user) is not { } node)
            return;
        var pod = bound is { Kind: "Pod" } ? objects.Get("", "pods", Metadata.Namespace(account), bound.Name) : null;
        if (pod is null || Metadata.Text(pod["spec"] as JsonObject, "nodeName") != node)
            throw Statuses.Forbidden(ServiceAccounts, Metadata.Name(account), $"node \"{node}\" may only request tokens that are bound to a pod on it");
    }

    private JsonObject Answer(
        JsonObject account, JsonObject spec, IReadOnlyList<string> audiences, long seconds, string token, DateTimeOffset expires)
    {
        var answerSpec = new JsonObject
        {
            ["audiences"] = new JsonArray([.. audiences.Select(JsonNode (a) => a)]),
            ["expirationSeconds"] = seconds,
            ["boundObjectRef"] = spec["boundObjectRef"]?.DeepClone(),
        };
        return new JsonObject
        {
            ["kind"] = Kind.Kind,
            ["apiVersion"] = Kind.ApiVersion,
            ["metadata"] = new JsonObject
            {
                ["name"] = Metadata.Name(account),
                ["namespace"] = Metadata.Namespace(account),
                ["creationTimestamp"] = Metadata.Time(time.GetUtcNow()),
            },
            ["spec"] = answerSpec,
            ["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = Metadata.Time(expires) },
        };
    }
}
