using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Subresources;

namespace Weft.ApiServer.Authentication;

/// <summary>`tokenreviews`: tells another server whose token it was given.</summary>
public sealed class TokenReviews(ServiceAccountTokens tokens) : IVirtualResource
{
    private static readonly GroupVersionKind Kind = new("authentication.k8s.io", "v1", "TokenReview");

    public bool Serves(GroupVersionResource resource, string subresource) =>
        resource is { Group: "authentication.k8s.io", Resource: "tokenreviews" } && subresource.Length == 0;

    public ValueTask<JsonObject> CreateAsync(VirtualRequest request, CancellationToken cancellationToken)
    {
        var spec = request.Body["spec"] as JsonObject;
        var token = Metadata.Text(spec, "token");
        if (token.Length == 0)
            throw Statuses.BadRequest("token is required for TokenReview in authentication");

        var verdict = tokens.Verify(token, Metadata.Strings(spec, "audiences"));
        var answer = (JsonObject)request.Body.DeepClone();
        answer["kind"] = Kind.Kind;
        answer["apiVersion"] = Kind.ApiVersion;
        answer["status"] = verdict.User is { } user ? Accepted(user, verdict.Audiences) : new JsonObject { ["user"] = new JsonObject(), ["error"] = verdict.Refusal };
        return new(answer);
    }

    private static JsonObject Accepted(UserInfo found, IReadOnlyList<string> audiences)
    {
        var user = UnionAuthenticator.WithAuthenticated(found);
        return new JsonObject
        {
            ["authenticated"] = true,
            ["user"] = UserInfoJson.Write(user),
            ["audiences"] = new JsonArray([.. audiences.Select(JsonNode (a) => a)]),
        };
    }
}
