using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

internal enum BodyMedia { Json, Yaml, Protobuf, JsonPatch, MergePatch, StrategicMergePatch, ApplyPatch }

/// <summary>Reads request bodies: the limit comes before the first byte is kept, and the media type before any of them is looked at.</summary>
internal static class BodyReader
{
    // Kubernetes' MaxRequestBodyBytes: twice the size of the largest object that the store takes.
    public const int MaxBytes = 3 * 1024 * 1024;

    private static readonly string[] Documents = [OutputFormat.JsonType, OutputFormat.YamlType];
    private static readonly string[] Patches =
    [
        "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml",
    ];

    public static BodyMedia DocumentMedia(HttpRequest request)
    {
        RefuseEncoding(request);
        return TypeOf(request) switch
        {
            "" or OutputFormat.JsonType => BodyMedia.Json, // kube-apiserver takes a body without a type as JSON
            OutputFormat.YamlType or "application/x-yaml" or "text/yaml" => BodyMedia.Yaml,
            Protobuf.ProtobufObjects.MediaType => BodyMedia.Protobuf,
            _ => throw Statuses.UnsupportedMediaType(Documents),
        };
    }

    public static BodyMedia PatchMedia(HttpRequest request)
    {
        RefuseEncoding(request);
        return TypeOf(request) switch
        {
            "application/json-patch+json" => BodyMedia.JsonPatch,
            "application/merge-patch+json" => BodyMedia.MergePatch,
            "application/strategic-merge-patch+json" => BodyMedia.StrategicMergePatch,
            "application/apply-patch+yaml" or "application/apply-patch+json" => BodyMedia.ApplyPatch,
            _ => throw Statuses.UnsupportedMediaType(Patches),
        };
    }

    /// <summary>The whole body, in a buffer that the caller may keep.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaxBytes)
            throw Statuses.TooLarge(MaxBytes);

        var reader = request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.Length > MaxBytes)
            {
                reader.AdvanceTo(buffer.End);
                throw Statuses.TooLarge(MaxBytes);
            }

            if (result.IsCompleted)
            {
                var body = buffer.ToArray();
                reader.AdvanceTo(buffer.End);
                return body;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static void RefuseEncoding(HttpRequest request)
    {
        // A compressed body would need a second limit; no Kubernetes client sends one.
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding != "identity")
            throw Statuses.UnsupportedMediaType(Documents);
    }

    private static string TypeOf(HttpRequest request)
    {
        var type = request.ContentType ?? "";
        var semicolon = type.IndexOf(';');
        return (semicolon < 0 ? type : type[..semicolon]).Trim().ToLowerInvariant();
    }
}
