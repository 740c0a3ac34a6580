using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

/// <summary>A LabelSelector object against labels. An empty selector matches everything; an operator that is not known matches nothing.</summary>
internal static class LabelMatch
{
    internal static bool Matches(JsonObject selector, JsonObject? labels)
    {
        if (selector["matchLabels"] is JsonObject wanted && wanted.Any(w => Value(labels, w.Key) is not { } actual || actual != Metadata.Text(wanted, w.Key)))
            return false;
        return selector["matchExpressions"] is not JsonArray expressions || expressions.OfType<JsonObject>().All(e => Holds(labels, e));
    }

    private static bool Holds(JsonObject? labels, JsonObject expression)
    {
        var actual = Value(labels, Metadata.Text(expression, "key"));
        var values = Metadata.Strings(expression, "values");
        return Metadata.Text(expression, "operator") switch
        {
            "In" => actual is not null && values.Contains(actual),
            "NotIn" => actual is null || !values.Contains(actual),
            "Exists" => actual is not null,
            "DoesNotExist" => actual is null,
            _ => false,
        };
    }

    private static string? Value(JsonObject? labels, string key) => labels is not null && labels.ContainsKey(key) ? Metadata.Text(labels, key) : null;
}
