using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.ApiExtensions;

/// <summary>Writes a <see cref="Schema"/> as the structural schema of a definition: everything in line, for a definition has no references.</summary>
internal static class CrdSchemaText
{
    // A type that is nested deeper contains itself.
    private const int MaxDepth = 40;

    /// <param name="type">For the error.</param>
    public static JsonObject Of(Schema root, Type type)
    {
        var members = new JsonObject
        {
            ["apiVersion"] = new JsonObject { ["type"] = "string" },
            ["kind"] = new JsonObject { ["type"] = "string" },
            ["metadata"] = new JsonObject { ["type"] = "object" },
        };
        foreach (var (name, member) in root.Properties.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (!members.ContainsKey(name))
                members[name] = Value(member, type, name, 1);
        }
        var text = new JsonObject { ["type"] = "object" };
        if (root.Description is { Length: > 0 } description)
            text["description"] = description;
        text["properties"] = members;
        Required(root, text);
        Rules(root, text);
        return text;
    }

    private static JsonObject Value(Schema schema, Type type, string path, int depth)
    {
        if (depth > MaxDepth)
            throw new NotSupportedException($"{type.Name}: '{path[..60]}...' is nested deeper than {MaxDepth} levels: a definition cannot say a type that contains itself");
        var text = new JsonObject();
        if (schema.Description is { Length: > 0 } description)
            text["description"] = description;
        if (schema.IntOrString || schema.DefinitionName?.EndsWith(".resource.Quantity", StringComparison.Ordinal) == true)
        {
            text["x-kubernetes-int-or-string"] = true;
            text["anyOf"] = new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" });
        }
        else if (schema.Type != SchemaType.Any)
            text["type"] = schema.Type.ToString().ToLowerInvariant();
        if (schema.Format is { } format && !schema.IntOrString)
            text["format"] = format;
        if (schema.PreserveUnknownFields)
            text["x-kubernetes-preserve-unknown-fields"] = true;
        Children(schema, text, type, path, depth);
        Required(schema, text);
        if (schema.Default is { } given)
            text["default"] = given.DeepClone();
        if (schema.Enum.Count > 0)
            text["enum"] = new JsonArray([.. schema.Enum.Select(value => value?.DeepClone())]);
        Limits(schema, text);
        Rules(schema, text);
        return text;
    }

    private static void Rules(Schema schema, JsonObject text)
    {
        var rules = new JsonArray([.. schema.Validations.Select(rule => new JsonObject { ["rule"] = rule.Rule, ["message"] = rule.Message })]);
        if (schema.Immutable)
            rules.Add(new JsonObject { ["rule"] = "self == oldSelf", ["message"] = "field is immutable" });
        if (rules.Count > 0)
            text["x-kubernetes-validations"] = rules;
    }

    private static void Children(Schema schema, JsonObject text, Type type, string path, int depth)
    {
        if (schema.Items is { } items)
        {
            text["items"] = Value(items, type, $"{path}[]", depth + 1);
            if (schema.ListType != ListType.Atomic)
                text["x-kubernetes-list-type"] = schema.ListType.ToString().ToLowerInvariant();
            if (schema.ListMapKeys.Count > 0)
                text["x-kubernetes-list-map-keys"] = new JsonArray([.. schema.ListMapKeys.Select(key => (JsonNode?)key)]);
        }
        if (schema.AdditionalProperties is { } values)
            text["additionalProperties"] = Value(values, type, $"{path}[*]", depth + 1);
        if (schema.Type == SchemaType.Object && schema.MapType == MapType.Atomic)
            text["x-kubernetes-map-type"] = "atomic";
        if (schema.Properties.Count == 0)
            return;
        var members = new JsonObject();
        foreach (var (name, member) in schema.Properties.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            members[name] = Value(member, type, $"{path}.{name}", depth + 1);
        text["properties"] = members;
    }

    private static void Required(Schema schema, JsonObject text)
    {
        if (schema.Required.Count > 0)
            text["required"] = new JsonArray([.. schema.Required.Order(StringComparer.Ordinal).Select(name => (JsonNode?)name)]);
    }

    private static void Limits(Schema schema, JsonObject text)
    {
        foreach (var (name, value) in ((string, double?)[])[("minimum", schema.Minimum), ("maximum", schema.Maximum)])
        {
            if (value is { } number)
                text[name] = number == Math.Floor(number) && Math.Abs(number) < 1e15 ? JsonValue.Create((long)number) : JsonValue.Create(number);
        }
        foreach (var (name, value) in ((string, long?)[])[("minLength", schema.MinLength), ("maxLength", schema.MaxLength), ("minItems", schema.MinItems), ("maxItems", schema.MaxItems), ("minProperties", schema.MinProperties), ("maxProperties", schema.MaxProperties)])
        {
            if (value is not null)
                text[name] = value;
        }
        if (schema.Pattern is { } pattern)
            text["pattern"] = pattern;
    }
}
