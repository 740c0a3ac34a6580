using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Selectors;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Subresources;

/// <summary>`scale`: the replicas of any kind that has them, as an autoscaling/v1 Scale. One code path for built-in and custom kinds, by their paths.</summary>
internal sealed class ScaleSubresource(ObjectReader reader, ObjectWriter writer, WriteVerbs verbs) : ISubresource
{
    public static GroupVersionKind Kind { get; } = new("autoscaling", "v1", "Scale");

    public bool Serves(ResourceInfo resource, string subresource) => subresource == "scale" && resource.Scale is not null;

    public Task HandleAsync(ApiRequest request, ResourceInfo resource) => request.Info.Verb switch
    {
        "get" => GetAsync(request, resource),
        "update" => UpdateAsync(request, resource),
        "patch" => PatchAsync(request, resource),
        _ => throw Statuses.MethodNotAllowed(),
    };

    private async Task GetAsync(ApiRequest request, ResourceInfo resource)
    {
        var tree = ObjectCodec.ToTree(resource, await reader.GetAsync(resource, resource.Namespaced ? request.Info.Namespace : "", request.Info.Name, null, request.Aborted));
        await ReplyAsync(request, ToScale(resource, tree));
    }

    private async Task UpdateAsync(ApiRequest request, ResourceInfo resource)
    {
        var scale = await Bodies.ReadObjectAsync(request, Kind, _ => { });
        await WriteAsync(request, resource, _ => scale);
    }

    private async Task PatchAsync(ApiRequest request, ResourceInfo resource)
    {
        var media = BodyReader.PatchMedia(request.Http.Request);
        if (media is BodyMedia.ApplyPatch)
            throw Statuses.UnsupportedMediaType("application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json");
        var context = verbs.Context(request, ScaleResource(resource));
        var patch = await PatchVerb.ReadPatchAsync(request, context, media);
        // A Scale has no lists: its strategic merge is its merge.
        var plain = media == BodyMedia.JsonPatch ? media : BodyMedia.MergePatch;
        await WriteAsync(request, resource, current => PatchVerb.Patched(context, plain, current, patch));
    }

    private async Task WriteAsync(ApiRequest request, ResourceInfo resource, Func<JsonObject, JsonObject> change)
    {
        var context = verbs.Context(request, resource);
        var stored = await writer.UpdateAsync(context, Demands.None, old =>
        {
            var current = (JsonObject)old.DeepClone();
            var scale = change(ToScale(resource, current));
            var replicas = Replicas(scale);
            if (Metadata.Name(scale) is { Length: > 0 } name && name != context.Name)
                throw Statuses.BadRequest($"the name of the object ({name}) does not match the name on the URL ({context.Name})");
            var metadata = Metadata.Of(current);
            // The Scale's revision is the object's: one that names it is a compare-and-set.
            metadata["resourceVersion"] = Metadata.ResourceVersion(scale) is { Length: > 0 } revision ? revision : null;
            JsonPaths.Set(current, resource.Scale!.SpecReplicas, replicas);
            return new ValueTask<JsonObject>(current);
        }, request.Aborted);
        await ReplyAsync(request, ToScale(resource, await ObjectCodec.ToTreeAsync(resource, stored, request.Aborted)));
    }

    private static long Replicas(JsonObject scale)
    {
        var node = scale.At("spec", "replicas");
        var replicas = node is null ? 0 : node.AsInteger()
            ?? throw Statuses.Invalid(Kind, Metadata.Name(scale), [new FieldError(FieldErrorKind.TypeInvalid, "spec.replicas", node.ToJsonString(), "must be an integer")]);
        if (replicas is < 0 or > int.MaxValue)
            throw Statuses.Invalid(Kind, Metadata.Name(scale), [FieldError.Invalid("spec.replicas", $"{replicas}", "must be greater than or equal to 0")]);
        return replicas;
    }

    internal static JsonObject ToScale(ResourceInfo resource, JsonObject tree)
    {
        var metadata = new JsonObject();
        foreach (var name in (ReadOnlySpan<string>)["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            if (tree["metadata"]?[name] is { } value)
                metadata[name] = value.DeepClone();
        }

        var paths = resource.Scale!;
        var status = new JsonObject { ["replicas"] = JsonPaths.Get(tree, paths.StatusReplicas).AsInteger() ?? 0 };
        if (paths.LabelSelector is { } path && Selector(paths.SelectorIsLabels ? new JsonObject { ["matchLabels"] = JsonPaths.Get(tree, path)?.DeepClone() } : JsonPaths.Get(tree, path)) is { Length: > 0 } selector)
            status["selector"] = selector;
        return new JsonObject
        {
            ["kind"] = Kind.Kind,
            ["apiVersion"] = Kind.ApiVersion,
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["replicas"] = JsonPaths.Get(tree, paths.SpecReplicas).AsInteger() ?? 0 },
            ["status"] = status,
        };
    }

    // A built-in kind has a LabelSelector there, a custom one its text form.
    private static string Selector(JsonNode? node)
    {
        if (node is null || node.AsText() is { } text && text.Length == 0)
            return "";
        try
        {
            return node.AsText() ?? LabelQuery.FromSelector(node).ToString();
        }
        catch (SelectorException)
        {
            return "";
        }
    }

    private static ResourceInfo ScaleResource(ResourceInfo resource) => resource with { Kind = Kind, Schema = Api.Schemas.Schema.Anything };

    private static Task ReplyAsync(ApiRequest request, JsonObject scale) =>
        ResponseWriter.WriteTreeAsync(request, OutputFormat.Negotiate(request.Http.Request.Headers.Accept) with { Shape = OutputShape.Object }, scale);
}
