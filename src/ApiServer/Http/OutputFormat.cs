using Microsoft.Extensions.Primitives;

namespace Weft.ApiServer.Http;

internal enum OutputMedia { Json, Yaml }

internal enum OutputShape { Object, Table, PartialMetadata }

/// <summary>The form of an answer that the Accept header asks for.</summary>
/// <param name="MetaVersion">Version of meta.k8s.io for a Table or partial metadata.</param>
internal readonly record struct OutputFormat(OutputMedia Media, OutputShape Shape, string MetaVersion)
{
    public const string JsonType = "application/json";
    public const string YamlType = "application/yaml";

    public static OutputFormat Json { get; } = new(OutputMedia.Json, OutputShape.Object, "");

    public string ContentType => Media == OutputMedia.Yaml ? YamlType : JsonType;

    /// <summary>The best media range that the server can serve; ranges of equal quality count in their order. Protobuf is passed over: JSON must be acceptable too.</summary>
    public static OutputFormat Negotiate(StringValues accept)
    {
        if (accept.Count == 0 || accept.Count == 1 && accept[0] is null or "" or "*/*" or JsonType)
            return Json;

        OutputFormat? best = null;
        var bestQuality = 0.0;
        foreach (var header in accept)
        {
            foreach (var range in (header ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (Read(range) is var (format, quality) && quality > bestQuality)
                    (best, bestQuality) = (format, quality);
            }
        }

        return best ?? throw Statuses.NotAcceptable(JsonType, YamlType);
    }

    private static (OutputFormat Format, double Quality)? Read(string range)
    {
        var parts = range.Split(';', StringSplitOptions.TrimEntries);
        OutputMedia media;
        switch (parts[0].ToLowerInvariant())
        {
            case JsonType or "*/*" or "application/*": media = OutputMedia.Json; break;
            case YamlType or "application/x-yaml" or "text/yaml": media = OutputMedia.Yaml; break;
            default: return null;
        }

        var (quality, form, group, version) = (1.0, "", "", "");
        foreach (var parameter in parts.AsSpan(1))
        {
            var equals = parameter.IndexOf('=');
            if (equals < 0)
                continue;
            var value = parameter[(equals + 1)..].Trim('"');
            switch (parameter[..equals].ToLowerInvariant())
            {
                case "q": quality = double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var q) ? q : 0; break;
                case "as": form = value; break;
                case "g": group = value; break;
                case "v": version = value; break;
            }
        }

        if (form.Length == 0)
            return (new OutputFormat(media, OutputShape.Object, ""), quality);
        if (group != "meta.k8s.io" || version is not ("v1" or "v1beta1"))
            return null;
        return form switch
        {
            "Table" => (new OutputFormat(media, OutputShape.Table, version), quality),
            "PartialObjectMetadata" or "PartialObjectMetadataList" => (new OutputFormat(media, OutputShape.PartialMetadata, version), quality),
            _ => null,
        };
    }
}
