using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Registry;

/// <summary>Reads and writes the metadata of a tree whose shape is not yet proven: a wrong type reads as absent, the validator reports it.</summary>
internal static class Metadata
{
    public static JsonObject Of(JsonObject tree)
    {
        if (tree["metadata"] is JsonObject metadata)
            return metadata;
        if (tree["metadata"] is not null)
            throw Statuses.BadRequest("metadata must be an object");
        metadata = [];
        tree["metadata"] = metadata;
        return metadata;
    }

    public static string Text(JsonObject? parent, string name) =>
        parent?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public static string Name(JsonObject tree) => Text(tree["metadata"] as JsonObject, "name");
    public static string Namespace(JsonObject tree) => Text(tree["metadata"] as JsonObject, "namespace");
    public static string Uid(JsonObject tree) => Text(tree["metadata"] as JsonObject, "uid");
    public static string ResourceVersion(JsonObject tree) => Text(tree["metadata"] as JsonObject, "resourceVersion");

    public static bool IsBeingDeleted(JsonObject tree) => tree["metadata"] is JsonObject metadata && metadata["deletionTimestamp"] is not null;

    public static long? Number(JsonObject? parent, string name) => parent?[name] switch
    {
        JsonValue value when value.TryGetValue<long>(out var number) => number,
        JsonValue value when value.TryGetValue<int>(out var number) => number,
        _ => null,
    };

    public static IReadOnlyList<string> Strings(JsonObject? parent, string name)
    {
        if (parent?[name] is not JsonArray list)
            return [];
        return [.. list.OfType<JsonValue>().Select(item => item.TryGetValue<string>(out var text) ? text : "").Where(text => text.Length > 0)];
    }

    public static void SetStrings(JsonObject parent, string name, IReadOnlyCollection<string> values)
    {
        if (values.Count == 0)
            parent.Remove(name);
        else
            parent[name] = new JsonArray([.. values.Select(value => JsonValue.Create(value))]);
    }

    /// <summary>metav1.Time: RFC 3339 in UTC with whole seconds.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
