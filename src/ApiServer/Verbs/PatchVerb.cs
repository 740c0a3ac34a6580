using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Patches;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

/// <summary>PATCH in its four kinds. Each is a function of the current object, so the writer can apply it again when someone else wrote in between.</summary>
internal sealed class PatchVerb(ObjectReader reader, ObjectWriter writer, WriteVerbs verbs)
{
    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var media = BodyReader.PatchMedia(request.Http.Request);
        if (media == BodyMedia.StrategicMergePatch && resource.IsCustom)
            throw Statuses.UnsupportedMediaType("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml");
        var context = verbs.Context(request, resource) with { IsApply = media == BodyMedia.ApplyPatch };
        if (media == BodyMedia.ApplyPatch)
        {
            await ApplyAsync(request, context);
            return;
        }

        if (request.Query.OptionalFlag("force") is not null)
            throw Statuses.Invalid(MetaKinds.Options("patch"), "", [FieldError.Forbidden("force", "may not be specified for non-apply patch")]);
        var patch = await ReadPatchAsync(request, context, media);
        var stored = await writer.UpdateAsync(context, Demands.None, current => new ValueTask<JsonObject>(Patched(context, media, current, patch)), request.Aborted);
        await verbs.ReplyAsync(request, resource, stored, 200);
    }

    /// <summary>The current object with the patch applied; what does not apply is a refusal as Kubernetes words it.</summary>
    public static JsonObject Patched(WriteContext context, BodyMedia media, JsonObject current, JsonNode patch)
    {
        try
        {
            var result = media switch
            {
                BodyMedia.JsonPatch => JsonPatch.Apply(current, patch),
                BodyMedia.MergePatch => MergePatch.Apply(current, patch),
                _ => StrategicMergePatch.Apply(current, (JsonObject)patch, context.Resource.Schema),
            };
            if (result is not JsonObject tree)
                throw Statuses.BadRequest("the patch must leave an object");
            Bodies.CheckKind(tree, context.Resource.Kind);
            Conform.ReportUnknown(context, tree);
            return tree;
        }
        catch (PatchException e)
        {
            throw e.Failure switch
            {
                PatchFailure.TooLarge => Statuses.TooLarge(BodyReader.MaxBytes),
                PatchFailure.DoesNotApply => Statuses.Unprocessable(context.Resource.Resource, context.Name, e.Message),
                _ => Statuses.BadRequest(e.Message),
            };
        }
    }

    public static async ValueTask<JsonNode> ReadPatchAsync(ApiRequest request, WriteContext context, BodyMedia media)
    {
        var parsed = await Bodies.ParseAsync(request, media);
        Conform.ReportDuplicates(context, parsed.Duplicates);
        return (media, parsed.Root) switch
        {
            (BodyMedia.JsonPatch, JsonArray operations) => operations,
            (BodyMedia.MergePatch or BodyMedia.StrategicMergePatch, JsonObject members) => members,
            (BodyMedia.JsonPatch, _) => throw Statuses.BadRequest("a JSON patch must be an array of operations"),
            _ => throw Statuses.BadRequest("the patch must be an object"),
        };
    }

    private async Task ApplyAsync(ApiRequest request, WriteContext context)
    {
        if (request.Query.Last("fieldManager") is null)
            throw Statuses.Invalid(MetaKinds.Options("patch"), "", [FieldError.Required("fieldManager", "is required for apply patch")]);
        var force = request.Query.OptionalFlag("force") ?? false;
        var parsed = await Bodies.ParseAsync(request, BodyMedia.ApplyPatch);
        if (parsed.Root is not JsonObject configuration)
            throw Statuses.BadRequest("the apply configuration must be an object");
        CheckConfiguration(context, configuration);
        Conform.ReportDuplicates(context, parsed.Duplicates); // unknown fields are an error of their own: nobody could own them

        while (true)
        {
            if (reader.Find(context.Resource, context.Namespace, context.Name) is not null)
            {
                var stored = await writer.UpdateAsync(context, Demands.None,
                    current => new ValueTask<JsonObject>(FieldOwnership.Apply(context, current, configuration, force)), request.Aborted);
                await verbs.ReplyAsync(request, context.Resource, stored, 200);
                return;
            }

            if (context.Subresource.Length > 0)
                throw Statuses.NotFound(context.Resource.Resource, context.Name);
            if (Metadata.Uid(configuration).Length > 0)
                throw Statuses.Conflict(context.Resource.Resource, context.Name, $"uid mismatch: the provided object specified uid {Metadata.Uid(configuration)}, and no existing object was found");
            try
            {
                var created = await writer.CreateAsync(context, FieldOwnership.Apply(context, null, configuration, force), request.Aborted);
                await verbs.ReplyAsync(request, context.Resource, created, 201);
                return;
            }
            catch (ApiException e) when (e.Status.Reason == "AlreadyExists")
            {
                // Someone created it meanwhile: apply to that.
            }
        }
    }

    private static void CheckConfiguration(WriteContext context, JsonObject configuration)
    {
        if (configuration["apiVersion"].AsText() is not { Length: > 0 } || configuration["kind"].AsText() is not { Length: > 0 })
            throw Statuses.BadRequest("an apply configuration must set apiVersion and kind");
        Bodies.CheckKind(configuration, context.Resource.Kind);
        var metadata = Metadata.Of(configuration);
        if (metadata["managedFields"] is JsonArray { Count: > 0 })
            throw Statuses.BadRequest("metadata.managedFields must be nil");
        metadata.Remove("managedFields");
        var name = Metadata.Text(metadata, "name");
        if (name.Length > 0 && name != context.Name)
            throw Statuses.BadRequest($"the name of the object ({name}) does not match the name on the URL ({context.Name})");
        metadata["name"] = context.Name;
        ObjectNames.Place(context.Resource, configuration, context.Namespace);
    }
}
