using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.ApiServer.Strategies.ApiExtensions;

/// <summary>What is allowed in a schema and does nothing: a format that nobody checks.</summary>
internal static class SchemaWarnings
{
    // As many as one answer shows.
    private const int Most = 20;

    public static IEnumerable<string> Of(Field schema) => Formats(schema).Take(Most);

    private static IEnumerable<string> Formats(Field schema)
    {
        if (schema.Value is not JsonObject)
            yield break;
        var format = schema["format"];
        if (format.TextOrEmpty.Length > 0 && !Weft.Api.Trees.Formats.IsKnown(format.TextOrEmpty))
            yield return $"{format.Path}: unrecognized format \"{format.Text}\" is not checked";
        foreach (var part in schema["properties"].Entries.Select(entry => entry.Field).Append(schema["items"]).Append(schema["additionalProperties"]))
        {
            foreach (var warning in Formats(part))
                yield return warning;
        }
    }
}
