using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Cel.Library;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Cel;

/// <summary>Values of a tree, read where an expression looks at them. With a schema they have its types; without one those of JSON.</summary>
internal static class CelJson
{
    public static object? Of(JsonNode? node, Schema? schema) => node switch
    {
        null => null,
        JsonObject members => schema is { Type: SchemaType.Object } && (schema.AdditionalProperties is null || schema.Properties.Count > 0)
            ? new JsonMembers(members, schema) : new JsonEntries(members, schema?.AdditionalProperties),
        JsonArray list => new JsonItems(list, schema),
        JsonValue value => Scalar(value, schema),
        _ => null,
    };

    private static object? Scalar(JsonValue value, Schema? schema)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.String: return Text(value.AsText()!, schema is { IntOrString: false } ? schema.Format : null);
            case JsonValueKind.Number:
                // A number of the schema is one however it is written; without a schema what has no fraction in its text is an int.
                if (schema?.Type == SchemaType.Number)
                    return value.AsNumber();
                if (value.AsInteger() is { } whole && (schema is not null || value.ToJsonString().AsSpan().IndexOfAny(".eE") < 0))
                    return whole;
                return value.AsNumber();
            default: return null;
        }
    }

    private static object Text(string text, string? format)
    {
        switch (format)
        {
            // It is read anew at each look, so a long text without meaning would cost much; no time is written so long.
            case "date-time" or "datetime" or "date" or "duration" when text.Length > 100:
                return new CelFailure($"value is no {format}");
            case "date-time" or "datetime" or "date":
                return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                    ? time : new CelFailure($"'{text}' is no {format}");
            case "duration":
                return CelTime.ParseDuration(text) is { } span ? span : new CelFailure($"'{text}' is no duration");
            case "byte":
                var bytes = new byte[text.Length];
                return Convert.TryFromBase64String(text, bytes, out var count) ? bytes[..count] : new CelFailure("value is no base64");
            default:
                return text;
        }
    }
}

/// <summary>An array of a tree.</summary>
internal sealed class JsonItems(JsonArray list, Schema? schema) : CelList
{
    public ListType Type => schema?.ListType ?? ListType.Atomic;
    public override int Count => list.Count;
    public override object? this[int index] => CelJson.Of(list[index], schema?.Items);

    /// <summary>Whether two items of a list of type map are the same one.</summary>
    public bool SameKey(CelRun run, object? a, object? b)
    {
        foreach (var key in schema!.ListMapKeys)
        {
            var name = CelNames.Escape(key);
            object? x = null, y = null;
            run.Charge(1);
            (a as CelMap)?.TryGet(name, out x);
            (b as CelMap)?.TryGet(name, out y);
            if (!CelCompare.Equal(run, x, y))
                return false;
        }
        return true;
    }
}

/// <summary>An object with free keys.</summary>
internal sealed class JsonEntries(JsonObject members, Schema? values) : CelMap
{
    public override int Count => members.Count;
    public override IEnumerable<object> Keys => members.Select(member => (object)member.Key);
    public override bool TryGet(object? key, out object? value)
    {
        value = null;
        if (key is not string name || !members.TryGetPropertyValue(name, out var node))
            return false;
        value = CelJson.Of(node, values);
        return true;
    }
}

/// <summary>An object of a schema. Its members have the names that expressions use; one that is null is absent, as in Kubernetes.</summary>
internal sealed class JsonMembers(JsonObject members, Schema schema) : CelMap
{
    public override int Count => Keys.Count();
    public override IEnumerable<object> Keys =>
        members.Where(member => member.Value is not null && schema.Properties.ContainsKey(member.Key)).Select(member => CelNames.Escape(member.Key)).OfType<string>();
    public override bool TryGet(object? key, out object? value)
    {
        value = null;
        if (key is not string identifier || CelNames.Find(schema, identifier) is not { } member || !members.TryGetPropertyValue(member.Name, out var node) || node is null)
            return false;
        value = CelJson.Of(node, member.Schema);
        return true;
    }
}
