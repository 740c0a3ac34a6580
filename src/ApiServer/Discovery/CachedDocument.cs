using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Discovery;

/// <summary>Bytes that are the same for everyone until the served resources change; clients that have them get a 304.</summary>
internal sealed class CachedDocument(byte[] body, string contentType)
{
    internal string Hash { get; } = Convert.ToHexString(SHA512.HashData(body).AsSpan(0, 32));

    internal ReadOnlyMemory<byte> Body => body;

    internal static CachedDocument Json(JsonObject tree, string contentType = "application/json")
    {
        var options = new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        return new CachedDocument(JsonSerializer.SerializeToUtf8Bytes(tree, options), contentType);
    }

    internal async Task WriteAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
            throw Statuses.MethodNotAllowed();
        var tag = $"\"{Hash}\"";
        response.Headers.ETag = tag;
        response.Headers.Vary = "Accept";
        // Clients keep the document and ask each time whether it still holds.
        response.Headers.CacheControl = "public";
        if (request.Headers.IfNoneMatch.Any(v => v is not null && v.Contains(tag, StringComparison.Ordinal)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = contentType;
        response.ContentLength = body.Length;
        if (HttpMethods.IsGet(request.Method))
            await response.Body.WriteAsync(body, cancellationToken);
    }
}
