using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Webhooks;

/// <summary>Turns objects of a custom kind into another of its versions by the webhook of its definition. Nothing is served or stored in a version that it failed to make.</summary>
/// <param name="definition">Name of the definition, for errors.</param>
internal sealed class ConversionWebhook(WebhookCaller caller, string definition, JsonObject client) : IVersionConverter
{
    // Kubernetes' own.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    // What one call converts; a list of large objects takes several.
    private const int MaxObjects = 200;

    public async ValueTask<IReadOnlyList<JsonObject>> ConvertAsync(IReadOnlyList<JsonObject> trees, string apiVersion, CancellationToken cancellationToken)
    {
        var converted = new List<JsonObject>(trees.Count);
        foreach (var chunk in trees.Chunk(MaxObjects))
        {
            try
            {
                converted.AddRange(await CallAsync(chunk, apiVersion, cancellationToken));
            }
            catch (WebhookException e)
            {
                throw Statuses.Internal($"conversion webhook for {definition} failed: {e.Message}");
            }
        }
        return converted;
    }

    private async Task<IEnumerable<JsonObject>> CallAsync(JsonObject[] trees, string apiVersion, CancellationToken cancellationToken)
    {
        var uid = caller.NextUid();
        var review = new JsonObject
        {
            ["kind"] = "ConversionReview",
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["request"] = new JsonObject { ["uid"] = uid, ["desiredAPIVersion"] = apiVersion, ["objects"] = new JsonArray([.. trees.Select(tree => tree.DeepClone())]) },
        };
        var answer = await caller.PostAsync(client, review, Timeout, cancellationToken);
        if (answer["apiVersion"].AsText() != "apiextensions.k8s.io/v1" || answer["kind"].AsText() != "ConversionReview" || answer["response"] is not JsonObject response)
            throw new WebhookException("expected a response of apiextensions.k8s.io/v1, Kind=ConversionReview");
        if (response["uid"].AsText() != uid)
            throw new WebhookException("expected response.uid to be that of the request");
        if (response.At("result", "status").AsText() != "Success")
            throw new WebhookException(response.At("result", "message").AsText() is { Length: > 0 } message ? message : "it answered without success and without a message");
        if (response["convertedObjects"] is not JsonArray objects || objects.Count != trees.Length)
            throw new WebhookException($"expected {trees.Length} converted objects, got {(response["convertedObjects"] as JsonArray)?.Count ?? 0}");
        return trees.Zip(objects, (before, after) => Taken(before, after, apiVersion));
    }

    // Of metadata a conversion may change labels and annotations alone.
    private static JsonObject Taken(JsonObject before, JsonNode? node, string apiVersion)
    {
        if (node is not JsonObject || node.DeepClone() is not JsonObject after)
            throw new WebhookException("a converted object is no object");
        if (after["apiVersion"].AsText() != apiVersion || after["kind"].AsText() != before["kind"].AsText())
            throw new WebhookException($"expected {apiVersion}, Kind={before["kind"].AsText()}, got {after["apiVersion"].AsText()}, Kind={after["kind"].AsText()}");
        foreach (var name in (ReadOnlySpan<string>)["name", "namespace", "uid"])
        {
            if (!JsonNode.DeepEquals(before.At("metadata", name), after.At("metadata", name)))
                throw new WebhookException($"a converted object must keep its metadata.{name}");
        }
        var metadata = (JsonObject)(before["metadata"]?.DeepClone() ?? new JsonObject());
        foreach (var name in (ReadOnlySpan<string>)["labels", "annotations"])
        {
            metadata.Remove(name);
            if (after.At("metadata", name) is { } value)
                metadata[name] = value.DeepClone();
        }
        after["metadata"] = metadata;
        return after;
    }
}
