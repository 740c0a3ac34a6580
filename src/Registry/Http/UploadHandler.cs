using System.Globalization;
using Microsoft.AspNetCore.Http;
using Weft.Registry.Blobs;
using Weft.Registry.Names;

namespace Weft.Registry.Http;

/// <summary>`blobs/uploads/`: a blob comes in one request, in a stream, or in chunks.</summary>
internal sealed class UploadHandler(ImageRegistry registry)
{
    internal async Task BeginAsync(RegistryCall call)
    {
        if (!HttpMethods.IsPost(call.Request.Method))
            throw call.NoSuchMethod();
        // Mounting from another repository: a blob that is here is everybody's. What is not here is pushed, as the specification has it.
        if (Digest.TryParse(call.Request.Query["mount"]) is { } mounted && registry.Blobs.Find(mounted) is not null)
        {
            Created(call, mounted);
            return;
        }

        // Refused before the body is read.
        var expected = call.Request.Query["digest"].ToString() is { Length: > 0 } text ? call.Digest(text) : null;
        var begun = registry.Uploads.Begin();
        await using var lease = registry.Uploads.Take(begun.Id);
        if (expected is null)
        {
            Accepted(call, begun, StatusCodes.Status202Accepted);
            return;
        }

        lease.Ends = true;
        await begun.AppendAsync(call.Request.Body, call.Aborted);
        begun.Finish(expected, registry.Blobs);
        Created(call, expected);
    }

    internal async Task ContinueAsync(RegistryCall call)
    {
        await using var lease = registry.Uploads.Take(call.Route.Reference);
        var upload = lease.Upload;
        switch (call.Request.Method)
        {
            case "GET" or "HEAD":
                Accepted(call, upload, StatusCodes.Status204NoContent);
                break;
            case "PATCH":
                RequireOffset(call, upload);
                await AppendAsync(call, lease);
                Accepted(call, upload, StatusCodes.Status202Accepted);
                break;
            case "PUT":
                var expected = call.Digest(call.Request.Query["digest"].ToString());
                RequireOffset(call, upload);
                await AppendAsync(call, lease);
                lease.Ends = true; // also when the digest is wrong: its bytes are no use to anybody
                upload.Finish(expected, registry.Blobs);
                Created(call, expected);
                break;
            case "DELETE":
                lease.Ends = true;
                call.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            default:
                throw call.NoSuchMethod();
        }
    }

    private static async Task AppendAsync(RegistryCall call, Uploads.Lease lease)
    {
        try
        {
            await lease.Upload.AppendAsync(call.Request.Body, call.Aborted);
        }
        catch (RegistryException)
        {
            lease.Ends = true; // too large, or the disk is full: it cannot go on
            throw;
        }
    }

    // A chunk says where it belongs; one without is the next (a stream).
    private static void RequireOffset(RegistryCall call, Upload upload)
    {
        var header = call.Request.Headers.ContentRange.ToString();
        if (header.Length == 0)
            return;
        var range = header.StartsWith("bytes ", StringComparison.Ordinal) ? header["bytes ".Length..].Split('/')[0] : header;
        var bounds = range.Split('-');
        if (bounds.Length != 2
            || !long.TryParse(bounds[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !long.TryParse(bounds[1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            || first > last
            || (call.Request.ContentLength is { } length && length != last - first + 1))
            throw RegistryException.UploadInvalid($"Content-Range '{header}' is not FIRST-LAST of the bytes that follow");
        if (first != upload.Length)
        {
            Describe(call, upload);
            throw new RegistryException(416, "BLOB_UPLOAD_INVALID", $"the chunk begins at {first}, but {upload.Length} bytes are here");
        }
    }

    private static void Accepted(RegistryCall call, Upload upload, int status)
    {
        Describe(call, upload);
        call.Response.StatusCode = status;
    }

    private static void Describe(RegistryCall call, Upload upload)
    {
        call.Response.Headers.Location = call.Location("blobs/uploads/" + upload.Id);
        call.Response.Headers["Docker-Upload-UUID"] = upload.Id;
        // Of nothing, too, it is 0-0: clients of before the specification expect it so.
        call.Response.Headers.Range = $"0-{Math.Max(0, upload.Length - 1)}";
    }

    private static void Created(RegistryCall call, Digest digest)
    {
        call.Response.Headers.Location = call.Location("blobs/" + digest);
        call.Response.Headers["Docker-Content-Digest"] = digest.ToString();
        call.Response.StatusCode = StatusCodes.Status201Created;
    }
}
