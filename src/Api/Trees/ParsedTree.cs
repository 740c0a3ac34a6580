using System.Text.Json.Nodes;

namespace Weft.Api.Trees;

/// <param name="Root">Null when the document is the value null (or an empty YAML document).</param>
/// <param name="Duplicates">Field paths (`spec.containers[0].image`) of keys that stood more than once; the last one won.</param>
public sealed record ParsedTree(JsonNode? Root, IReadOnlyList<string> Duplicates)
{
    // As many as the API server's strict decoding lists before it stops.
    internal const int MaxDuplicates = 100;
}
