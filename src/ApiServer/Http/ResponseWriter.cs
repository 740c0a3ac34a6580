using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Api;
using Weft.Api.Trees;

namespace Weft.ApiServer.Http;

/// <summary>Sends finished JSON: as it is, as YAML, indented, or compressed, as the request asks.</summary>
internal static class ResponseWriter
{
    // kube-apiserver compresses answers from 128 KiB on, at the fastest level: below, it costs more than the network does.
    private const int CompressFrom = 128 * 1024;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task WriteStatusAsync(ApiRequest request, Status status, int code)
    {
        var http = request.Http;
        if (status.Details?.RetryAfterSeconds is { } seconds)
            http.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var format = OutputFormat.Json;
        try
        {
            format = OutputFormat.Negotiate(http.Request.Headers.Accept) with { Shape = OutputShape.Object };
        }
        catch (ApiException)
        {
            // The refusal of every format must itself be readable: it goes out as JSON.
        }
        return WriteAsync(request, format, StatusJson.Serialize(status), code);
    }

    public static Task WriteTreeAsync(ApiRequest request, OutputFormat format, JsonNode tree, int code = 200) =>
        WriteAsync(request, format, JsonTree.WriteUtf8(tree), code);

    public static async Task WriteAsync(ApiRequest request, OutputFormat format, ReadOnlyMemory<byte> json, int code = 200)
    {
        var response = request.Http.Response;
        response.StatusCode = code;
        response.ContentType = format.ContentType;
        response.Headers.CacheControl = "no-cache, private"; // as kube-apiserver: what one caller may see is not for a shared cache
        Warnings.Write(response.Headers, request.Warnings);

        var body = json;
        if (format.Media == OutputMedia.Yaml)
            body = System.Text.Encoding.UTF8.GetBytes(YamlTree.Write(JsonNode.Parse(json.Span)));
        else if (WantsPretty(request))
            body = System.Text.Encoding.UTF8.GetBytes(JsonNode.Parse(json.Span)!.ToJsonString(Indented) + "\n");

        if (body.Length >= CompressFrom && AcceptsGzip(request.Http.Request))
        {
            response.Headers.ContentEncoding = "gzip";
            response.Headers.Vary = "Accept-Encoding";
            await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            await gzip.WriteAsync(body, request.Aborted);
            return;
        }

        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(request.Http.Request.Method))
            await response.BodyWriter.WriteAsync(body, request.Aborted);
    }

    /// <summary>Sends JSON that is produced piece by piece; compressed when it will be large and the client accepts it.</summary>
    public static async Task StreamAsync(ApiRequest request, long expectedBytes, Func<PipeWriter, Task> produce)
    {
        if (WantsPretty(request))
        {
            using var whole = new MemoryStream();
            var buffer = PipeWriter.Create(whole, new StreamPipeWriterOptions(leaveOpen: true));
            await produce(buffer);
            await buffer.CompleteAsync();
            await WriteAsync(request, OutputFormat.Json, whole.ToArray());
            return;
        }

        var response = request.Http.Response;
        response.StatusCode = 200;
        response.ContentType = OutputFormat.JsonType;
        response.Headers.CacheControl = "no-cache, private";
        Warnings.Write(response.Headers, request.Warnings);
        if (expectedBytes < CompressFrom || !AcceptsGzip(request.Http.Request))
        {
            await produce(response.BodyWriter);
            return;
        }

        response.Headers.ContentEncoding = "gzip";
        response.Headers.Vary = "Accept-Encoding";
        await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
        var output = PipeWriter.Create(gzip, new StreamPipeWriterOptions(leaveOpen: true, minimumBufferSize: 32 * 1024));
        await produce(output);
        await output.CompleteAsync();
    }

    private static bool WantsPretty(ApiRequest request) =>
        request.Query.OptionalFlag("pretty")
        ?? request.Http.Request.Headers.UserAgent.ToString() is { } agent
            && (agent.StartsWith("curl", StringComparison.Ordinal) || agent.StartsWith("Wget", StringComparison.Ordinal) || agent.StartsWith("Mozilla/5.0", StringComparison.Ordinal));

    private static bool AcceptsGzip(HttpRequest request)
    {
        foreach (var header in request.Headers.AcceptEncoding)
        {
            foreach (var coding in (header ?? "").Split(',', StringSplitOptions.TrimEntries))
            {
                if (coding is "gzip" || coding.StartsWith("gzip;", StringComparison.Ordinal) && !coding.EndsWith("q=0", StringComparison.Ordinal))
                    return true;
            }
        }
        return false;
    }
}
