using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Api.Trees;

/// <summary>Reads scalars whatever made them: a parsed number and a `JsonValue.Create(1)` answer the same.</summary>
public static class TreeValues
{
    /// <summary>The text, or null when the node is absent, null or no string.</summary>
    public static string? AsText(this JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>The whole number (1, 1.0 and 1e0 alike), or null when it is none.</summary>
    public static long? AsInteger(this JsonNode? node)
    {
        if (node is not JsonValue value)
            return null;
        if (value.TryGetValue<long>(out var whole))
            return whole;
        if (value.TryGetValue<int>(out var small))
            return small;
        return node.AsNumber() is { } number && Math.Floor(number) == number && Math.Abs(number) < 9e18 ? (long)number : null;
    }

    public static double? AsNumber(this JsonNode? node)
    {
        if (node is not JsonValue value || node.GetValueKind() != JsonValueKind.Number)
            return null;
        if (value.TryGetValue<double>(out var number))
            return number;
        return double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture);
    }

    public static bool? AsBoolean(this JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;

    /// <summary>The member at a path of names, or null when a step is missing.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            node = (node as JsonObject)?[name];
            if (node is null)
                return null;
        }
        return node;
    }
}
