using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Tables;

/// <summary>Reads members of an object for cells; a member of a wrong shape reads as absent.</summary>
internal static class Cells
{
    internal const string None = "<none>";

    internal static JsonObject? Object(JsonObject? parent, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            parent = parent?[name] as JsonObject;
        return parent;
    }

    internal static IReadOnlyList<JsonObject> Objects(JsonObject? parent, string name) => parent?[name] is JsonArray list ? [.. list.OfType<JsonObject>()] : [];

    internal static string Text(JsonObject? parent, string name, string otherwise = "") => Metadata.Text(parent, name) is { Length: > 0 } text ? text : otherwise;

    internal static long Number(JsonObject? parent, string name, long otherwise = 0) => Metadata.Number(parent, name) ?? otherwise;

    internal static bool Flag(JsonObject? parent, string name) => parent?[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    internal static string Scalar(JsonNode? node) => node is JsonValue value ? value.ToString() : "";

    internal static string Joined(IEnumerable<string> values, string otherwise = None) => string.Join(',', values) is { Length: > 0 } text ? text : otherwise;

    /// <summary>The first few and how many more.</summary>
    internal static string Some(IReadOnlyCollection<string> values, string otherwise)
    {
        const int max = 3;
        if (values.Count == 0)
            return otherwise;
        var text = string.Join(',', values.Take(max));
        return values.Count > max ? string.Create(CultureInfo.InvariantCulture, $"{text} + {values.Count - max} more...") : text;
    }

    /// <summary>`a=b,c=d` in the order of the keys.</summary>
    internal static string Labels(JsonObject? labels) =>
        Joined((labels ?? []).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={Scalar(l.Value)}"));

    /// <summary>A LabelSelector as text: `a=b,c in (d,e)`.</summary>
    internal static string Selector(JsonObject? selector)
    {
        var parts = Object(selector, "matchLabels") is { } labels ? labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={Scalar(l.Value)}").ToList() : [];
        foreach (var expression in Objects(selector, "matchExpressions"))
        {
            var key = Text(expression, "key");
            var values = string.Join(',', Metadata.Strings(expression, "values").Order(StringComparer.Ordinal));
            parts.Add(Text(expression, "operator") switch
            {
                "In" => $"{key} in ({values})",
                "NotIn" => $"{key} notin ({values})",
                "Exists" => key,
                _ => "!" + key,
            });
        }

        return Joined(parts);
    }

    internal static JsonObject? Condition(JsonObject tree, string type) =>
        Objects(Object(tree, "status"), "conditions").FirstOrDefault(c => Text(c, "type") == type);
}
