using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.ApiServer.Subresources;

/// <summary>The simple paths of a scale subresource (`.spec.replicas`): members only, as CRD validation demands.</summary>
internal static class JsonPaths
{
    public static JsonNode? Get(JsonObject tree, string path) => tree.At(Names(path));

    /// <summary>Sets a member below members that exist or are made.</summary>
    public static void Set(JsonObject tree, string path, JsonNode? value)
    {
        var names = Names(path);
        var parent = tree;
        foreach (var name in names.AsSpan()[..^1])
        {
            if (parent[name] is not JsonObject child)
                parent[name] = child = [];
            parent = child;
        }
        parent[names[^1]] = value;
    }

    private static string[] Names(string path) => path.TrimStart('.').Split('.');
}
