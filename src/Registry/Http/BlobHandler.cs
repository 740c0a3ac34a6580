using Microsoft.AspNetCore.Http;

namespace Weft.Registry.Http;

/// <summary>`blobs/DIGEST`: sends a blob or a part of it.</summary>
internal sealed class BlobHandler(ImageRegistry registry)
{
    internal async Task HandleAsync(RegistryCall call)
    {
        var digest = call.Digest(call.Route.Reference);
        if (HttpMethods.IsDelete(call.Request.Method))
        {
            var deleted = await registry.DeleteBlobAsync(digest, call.Aborted) ?? throw RegistryException.BlobUnknown(digest.ToString());
            if (!deleted)
                throw RegistryException.Unsupported($"{digest} belongs to an image: delete that, and its blobs go with it");
            call.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }

        if (!HttpMethods.IsGet(call.Request.Method) && !call.IsHead)
            throw call.NoSuchMethod();

        var length = registry.Blobs.Find(digest) ?? throw RegistryException.BlobUnknown(digest.ToString());
        var response = call.Response;
        response.Headers["Docker-Content-Digest"] = digest.ToString();
        response.Headers.ETag = $"\"{digest}\"";
        response.Headers.AcceptRanges = "bytes";
        // A name of content: what it names never changes.
        response.Headers.CacheControl = "max-age=31536000, immutable";
        response.ContentType = "application/octet-stream";

        var range = call.IsHead ? null : Range(call, length);
        response.ContentLength = range?.Length ?? length;
        if (range is { } part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {part.First}-{part.First + part.Length - 1}/{length}";
        }

        if (!call.IsHead && response.ContentLength > 0)
            await response.SendFileAsync(registry.Blobs.PathOf(digest), range?.First ?? 0, response.ContentLength, call.Aborted);
    }

    private static ByteRange? Range(RegistryCall call, long length)
    {
        try
        {
            return ByteRange.Parse(call.Request.Headers.Range.ToString(), length);
        }
        catch (RegistryException)
        {
            call.Response.Headers.ContentRange = $"bytes */{length}";
            throw;
        }
    }
}
