using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

/// <summary>DeleteOptions from the body, else from the query, checked as Kubernetes checks them.</summary>
internal static class DeleteOptionsReader
{
    public static async ValueTask<(Removal Removal, bool DryRun)> ReadAsync(ApiRequest request)
    {
        var http = request.Http.Request;
        var body = http.ContentLength is > 0 || http.Headers.TransferEncoding.Count > 0 || http.ContentLength is null && HasBody(request)
            ? (await Bodies.ParseAsync(request, BodyReader.DocumentMedia(http))).Root
            : null;
        if (body is not (null or JsonObject))
            throw Statuses.BadRequest("DeleteOptions must be an object");
        if (body is JsonObject && body["kind"].AsText() is { Length: > 0 } kind && kind != "DeleteOptions")
            throw Statuses.BadRequest($"the body of a delete must be DeleteOptions, not {kind}");

        var dryRun = request.ReadDryRun([.. (body.At("dryRun") as JsonArray ?? []).Select(value => value.AsText() ?? "")]);
        return (Check(body, request.Query), dryRun);
    }

    private static bool HasBody(ApiRequest request) =>
        request.Http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? false;

    private static Removal Check(JsonNode? body, QueryValues query)
    {
        // Kubernetes ignores the query when there is a body.
        var grace = body is null ? query.Number("gracePeriodSeconds") : body.At("gracePeriodSeconds").AsInteger();
        var propagation = body is null ? query.Last("propagationPolicy") : body.At("propagationPolicy").AsText();
        var orphan = body is null ? query.OptionalFlag("orphanDependents") : body.At("orphanDependents").AsBoolean();
        var errors = new List<FieldError>();
        if (orphan is not null && propagation is not null)
            errors.Add(FieldError.Invalid("propagationPolicy", $"\"{propagation}\"", "orphanDependents and deletionPropagation cannot be both set"));
        else if (propagation is not (null or "" or "Orphan" or "Background" or "Foreground"))
            errors.Add(FieldError.NotSupported("propagationPolicy", $"\"{propagation}\"", ["Foreground", "Background", "Orphan", "nil"]));
        if (errors.Count > 0)
            throw Statuses.Invalid(MetaKinds.DeleteOptions, "", errors);

        return new Removal
        {
            // A negative grace means one second: the shortest that still asks the node (as in Kubernetes' BeforeDelete).
            GracePeriodSeconds = grace < 0 ? 1 : grace,
            Propagation = orphan switch { true => "Orphan", false => "Background", null => string.IsNullOrEmpty(propagation) ? null : propagation },
            Demands = new Demands(body.At("preconditions", "uid").AsText(), body.At("preconditions", "resourceVersion").AsText()),
        };
    }
}
