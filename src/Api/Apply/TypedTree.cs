using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Apply;

/// <summary>How a schema splits a tree into fields that can be owned one by one.</summary>
internal static class TypedTree
{
    /// <summary>False when the value is owned as a whole: scalars, atomic lists and objects.</summary>
    public static bool IsGranular(JsonNode? node, Schema schema) => node switch
    {
        JsonObject => schema.MapType == MapType.Granular,
        JsonArray => schema.ListType != ListType.Atomic,
        _ => false,
    };

    /// <summary>The fields of a tree. Items of lists and keys of free maps are members themselves, members of typed objects only by what they hold.</summary>
    /// <exception cref="FieldsException">With <paramref name="strict"/>: an item without its keys, two with the same, an unknown field, a wrong shape.</exception>
    public static FieldSet Fields(JsonNode? tree, Schema schema, bool strict = false)
    {
        var walk = new Walk(strict);
        var builder = new FieldSet.Builder();
        walk.Node(tree, schema, builder);
        if (walk.Problems.Count > 0)
            throw new FieldsException(walk.Problems.Count == 1 ? walk.Problems[0] : "errors:\n  " + string.Join("\n  ", walk.Problems));
        return builder.Build();
    }

    /// <summary>The fields of one member, with the path from its parent.</summary>
    public static FieldSet MemberFields(string name, JsonNode? value, Schema parent)
    {
        var builder = new FieldSet.Builder();
        new Walk(strict: false).Member(name, value, parent, builder);
        return builder.Build();
    }

    /// <summary>The fields of one item, itself among them.</summary>
    public static FieldSet ItemFields(PathElement element, JsonNode? item, Schema items)
    {
        var builder = new FieldSet.Builder();
        builder.AddMember(element);
        new Walk(strict: false).Node(item, items, builder.Below(element));
        return builder.Build();
    }

    /// <summary>True when owning the member needs an entry of its own: it has no entries below it, or its name is data.</summary>
    private static bool IsOwnMember(JsonNode? value, string name, Schema schema) =>
        value is null or JsonObject { Count: 0 } || !schema.Properties.ContainsKey(name);

    public static Schema MemberSchema(Schema schema, string name) => schema.Member(name) ?? Schema.Anything;

    public static Schema ItemSchema(Schema schema) => schema.Items ?? Schema.Anything;

    /// <summary>The step that names an item of a granular list; null when the item lacks its keys.</summary>
    public static PathElement? ItemElement(JsonNode? item, Schema list)
    {
        if (list.ListType == ListType.Set)
            return PathElement.Value(item);
        if (item is not JsonObject members)
            return null;
        var keys = new List<KeyValuePair<string, JsonNode?>>(list.ListMapKeys.Count);
        foreach (var key in list.ListMapKeys)
        {
            // An absent key takes its default (a port's protocol), so that the same item has the same name before and after defaulting.
            if (members.TryGetPropertyValue(key, out var value) && value is not null || (value = list.Items?.Member(key)?.Default) is not null)
                keys.Add(new(key, value));
        }
        return keys.Count == 0 ? null : PathElement.Key(keys);
    }

    /// <summary>Items by the step that names them, in order. An item without keys is named by its position.</summary>
    public static List<(PathElement Element, JsonNode? Item)> Items(JsonArray list, Schema schema)
    {
        var items = new List<(PathElement, JsonNode?)>(list.Count);
        for (var i = 0; i < list.Count; i++)
            items.Add((ItemElement(list[i], schema) ?? PathElement.Index(i), list[i]));
        return items;
    }

    private sealed class Walk(bool strict)
    {
        private readonly List<PathElement> _path = [];

        public List<string> Problems { get; } = [];

        // What stands below the current step goes into the builder; whether the step itself is a member is the caller's affair.
        public void Node(JsonNode? node, Schema schema, FieldSet.Builder builder)
        {
            if (strict && node is not null && !HasShape(node, schema))
            {
                Problem($"expected {Expected(schema)}, got {Actual(node)}");
                return;
            }
            switch (node)
            {
                case JsonObject members when schema.MapType == MapType.Granular:
                    Members(members, schema, builder);
                    break;
                case JsonArray list when schema.ListType != ListType.Atomic:
                    Items(list, schema, builder);
                    break;
            }
        }

        private void Members(JsonObject members, Schema schema, FieldSet.Builder builder)
        {
            foreach (var (name, value) in members)
                Member(name, value, schema, builder);
        }

        public void Member(string name, JsonNode? value, Schema parent, FieldSet.Builder builder)
        {
            var element = PathElement.Field(name);
            _path.Add(element);
            var schema = parent.Member(name);
            if (strict && schema is null && KnowsAll(parent) && !(_path.Count == 1 && name is ("apiVersion" or "kind" or "metadata")))
                Problem("field not declared in schema");
            schema ??= Schema.Anything;
            if (IsGranular(value, schema))
            {
                Node(value, schema, builder.Below(element));
                if (IsOwnMember(value, name, parent))
                    builder.AddMember(element);
            }
            else
            {
                if (strict)
                    Node(value, schema, new FieldSet.Builder());
                builder.AddMember(element);
            }
            _path.RemoveAt(_path.Count - 1);
        }

        private static bool KnowsAll(Schema schema) => !schema.PreserveUnknownFields && (schema.Type == SchemaType.Object || schema.Properties.Count > 0);

        private void Items(JsonArray list, Schema schema, FieldSet.Builder builder)
        {
            var seen = strict ? new HashSet<PathElement>() : null;
            for (var i = 0; i < list.Count; i++)
            {
                var element = ItemElement(list[i], schema);
                if (element is null)
                {
                    if (strict)
                        Problem($"element {i}: " + (list[i] is JsonObject
                            ? $"associative list with keys has an element that omits key field \"{schema.ListMapKeys[0]}\" (and doesn't have default value)"
                            : "associative list with keys may not have non-map elements"));
                    continue;
                }
                if (seen is not null && !seen.Add(element))
                {
                    Problem($"duplicate entries for key {element}");
                    continue;
                }
                _path.Add(element);
                Node(list[i], ItemSchema(schema), builder.Below(element));
                builder.AddMember(element);
                _path.RemoveAt(_path.Count - 1);
            }
        }

        private void Problem(string what)
        {
            // One bad configuration must not make an answer of megabytes.
            if (Problems.Count < 50)
                Problems.Add($"{string.Concat(_path)}: {what}");
        }

        private static bool HasShape(JsonNode node, Schema schema) => schema switch
        {
            { IntOrString: true } => node is JsonValue,
            { Type: SchemaType.Any } => true,
            { Type: SchemaType.Object } => node is JsonObject,
            { Type: SchemaType.Array } => node is JsonArray,
            _ => node is JsonValue,
        };

        private static string Expected(Schema schema) => schema switch
        {
            { Type: SchemaType.Object } => "map",
            { Type: SchemaType.Array } => "list",
            { Type: SchemaType.Integer or SchemaType.Number } => "numeric (int or float)",
            { Type: SchemaType.Boolean } => "boolean",
            { Type: SchemaType.String } => "string",
            _ => "scalar",
        };

        private static string Actual(JsonNode node) => node.GetValueKind() switch
        {
            JsonValueKind.Object => "map",
            JsonValueKind.Array => "list",
            JsonValueKind.String => "string",
            JsonValueKind.Number => "number",
            _ => "boolean",
        };
    }
}
