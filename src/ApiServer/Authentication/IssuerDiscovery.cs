using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Authentication;

/// <summary>OpenID Connect discovery of the service account issuer: other systems verify pods' tokens with it.</summary>
public sealed class IssuerDiscovery(ServiceAccountTokens tokens) : IPathHandler
{
    private const string ConfigurationPath = "/.well-known/openid-configuration";
    private const string KeySetPath = "/openid/v1/jwks";

    private readonly byte[] _configuration = Encoding.UTF8.GetBytes(new JsonObject
    {
        ["issuer"] = tokens.Options.Issuer,
        ["jwks_uri"] = tokens.Options.EffectiveKeySetUri,
        ["response_types_supported"] = new JsonArray("id_token"),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray([.. tokens.Keys.Keys.Select(k => k.Algorithm).Distinct().Select(JsonNode (a) => a)]),
    }.ToJsonString());

    private readonly byte[] _keySet = Encoding.UTF8.GetBytes(tokens.Keys.ToJson().ToJsonString());

    public bool Matches(RequestInfo request) => request.Path is ConfigurationPath or KeySetPath;

    public async Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            throw Statuses.MethodNotAllowed();
        var isKeySet = request.Path == KeySetPath;
        var body = isKeySet ? _keySet : _configuration;
        context.Response.ContentType = isKeySet ? "application/jwk-set+json" : "application/json";
        // An hour, as Kubernetes says: key rotation announces a new key at least that long before it is used.
        context.Response.Headers.CacheControl = "public, max-age=3600";
        context.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(context.Request.Method))
            await context.Response.Body.WriteAsync(body, cancellationToken);
    }
}
