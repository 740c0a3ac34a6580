using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Registry.Manifests;

namespace Weft.Registry.Http;

/// <summary>`manifests/REFERENCE` and `referrers/DIGEST`.</summary>
internal sealed class ManifestHandler(ImageRegistry registry)
{
    internal Task HandleAsync(RegistryCall call) => call.Request.Method switch
    {
        "GET" or "HEAD" => GetAsync(call),
        "PUT" => PutAsync(call),
        "DELETE" => DeleteAsync(call),
        _ => throw call.NoSuchMethod(),
    };

    private async Task GetAsync(RegistryCall call)
    {
        var found = await registry.GetManifestAsync(call.Repository, call.Route.Reference, call.Aborted);
        if (found is not var (digest, type, content))
            throw registry.Repositories.Exists(call.Repository)
                ? RegistryException.ManifestUnknown(call.Repository.Full, call.Route.Reference)
                : RegistryException.NameUnknown(call.Repository.Full);
        var response = call.Response;
        response.ContentType = type;
        response.ContentLength = content.Length;
        response.Headers["Docker-Content-Digest"] = digest.ToString();
        response.Headers.ETag = $"\"{digest}\"";
        if (!call.IsHead)
            await response.Body.WriteAsync(content, call.Aborted);
    }

    private async Task PutAsync(RegistryCall call)
    {
        var limit = registry.Options.MaxManifestBytes;
        if (call.Request.ContentLength > limit)
            throw RegistryException.TooLarge("the manifest", limit);
        using var content = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await call.Request.Body.ReadAsync(buffer, call.Aborted) is var read and > 0)
        {
            if (content.Length + read > limit)
                throw RegistryException.TooLarge("the manifest", limit);
            content.Write(buffer, 0, read);
        }

        var bytes = content.ToArray();
        var digest = await registry.PutManifestAsync(call.Repository, call.Route.Reference, call.Request.ContentType, bytes, call.Aborted);
        if (Manifest.Parse(call.Request.ContentType, bytes).Subject is { } subject)
            call.Response.Headers["OCI-Subject"] = subject.ToString();
        call.Response.Headers["Docker-Content-Digest"] = digest.ToString();
        call.Response.Headers.Location = call.Location("manifests/" + digest);
        call.Response.StatusCode = StatusCodes.Status201Created;
    }

    private async Task DeleteAsync(RegistryCall call)
    {
        if (!await registry.DeleteManifestAsync(call.Repository, call.Route.Reference, call.Aborted))
            throw RegistryException.ManifestUnknown(call.Repository.Full, call.Route.Reference);
        call.Response.StatusCode = StatusCodes.Status202Accepted;
    }

    /// <summary>What says something about an image (distribution-spec 1.1, "Listing Referrers"). Nothing is an empty list, not an error.</summary>
    internal async Task ReferrersAsync(RegistryCall call)
    {
        if (!HttpMethods.IsGet(call.Request.Method) && !call.IsHead)
            throw call.NoSuchMethod();
        var subject = call.Digest(call.Route.Reference);
        var wanted = call.Request.Query["artifactType"].ToString();
        var list = new JsonArray();
        foreach (var digest in registry.Repositories.ManifestsOf(call.Repository))
        {
            var manifest = await registry.ReadManifestAsync(call.Repository, digest, call.Aborted);
            if (manifest?.Subject != subject || registry.Blobs.Find(digest) is not { } size || (wanted.Length > 0 && manifest.ArtifactType != wanted))
                continue;
            var descriptor = new JsonObject { ["mediaType"] = manifest.MediaType, ["digest"] = digest.ToString(), ["size"] = size };
            if (manifest.ArtifactType.Length > 0)
                descriptor["artifactType"] = manifest.ArtifactType;
            if (manifest.Annotations.Count > 0)
                descriptor["annotations"] = new JsonObject(manifest.Annotations.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
            list.Add((JsonNode)descriptor);
        }

        if (wanted.Length > 0)
            call.Response.Headers["OCI-Filters-Applied"] = "artifactType";
        await RegistryJson.WriteAsync(call.Context, StatusCodes.Status200OK,
            new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = list }, MediaTypes.OciIndex);
    }
}
