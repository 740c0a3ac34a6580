using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Schemas;

namespace Weft.ApiServer.OpenApi;

internal enum Dialect { V2, V3 }

/// <summary>
/// Writes a <see cref="Schema"/> as OpenAPI v2 or v3. v2 has no nullable, no oneOf and no unions: what it cannot say is left out, so that a client
/// that validates by it never refuses what the server takes.
/// </summary>
internal sealed class SchemaText(Dialect dialect)
{
    private readonly Dictionary<string, Schema> _seen = [];

    /// <summary>Named schemas that were referred to so far.</summary>
    internal IReadOnlyDictionary<string, Schema> Referred => _seen;

    internal static string RefPrefix(Dialect dialect) => dialect == Dialect.V2 ? "#/definitions/" : "#/components/schemas/";

    internal JsonObject Reference(string name) => new() { ["$ref"] = RefPrefix(dialect) + name };

    /// <summary>The schema as a value of a member: a reference when it has a name, with what is said of the member beside it.</summary>
    internal JsonObject Value(Schema schema)
    {
        if (schema.DefinitionName is not { } name)
            return Definition(schema);

        _seen.TryAdd(name, schema.Definition ?? schema);
        var json = new JsonObject();
        // What an item of a list says of itself stands in its definition already.
        if (schema.Definition is not null && schema.Description is { Length: > 0 } description)
            json["description"] = description;
        // v3 ignores what stands beside a $ref, hence the list of one.
        if (dialect == Dialect.V2)
            json["$ref"] = RefPrefix(dialect) + name;
        else
            json["allOf"] = new JsonArray(Reference(name));
        if (schema.Default is { } value)
            json["default"] = value.DeepClone();
        MergeRules(schema, json);
        return json;
    }

    /// <summary>The schema written out.</summary>
    internal JsonObject Definition(Schema schema)
    {
        var json = new JsonObject();
        if (schema.Description is { Length: > 0 } description)
            json["description"] = description;
        if (schema.IntOrString)
            Union(schema, json);
        else if (!(dialect == Dialect.V2 && (schema.Nullable || schema.PreserveUnknownFields) && schema.DefinitionName is null))
            Typed(schema, json);
        if (schema.PreserveUnknownFields && schema.DefinitionName is null)
            json["x-kubernetes-preserve-unknown-fields"] = true;
        if (schema.EmbeddedResource)
            json["x-kubernetes-embedded-resource"] = true;
        if (schema.Default is { } value)
            json["default"] = value.DeepClone();
        if (schema.Enum.Count > 0)
            json["enum"] = new JsonArray([.. schema.Enum.Select(e => e?.DeepClone())]);
        Limits(schema, json);
        if (dialect == Dialect.V3)
            Logic(schema, json);
        if (dialect == Dialect.V3 && schema.Validations.Count > 0)
            json["x-kubernetes-validations"] = new JsonArray([.. schema.Validations.Select(Rule)]);
        MergeRules(schema, json);
        if (schema.Kind is { } kind)
            json["x-kubernetes-group-version-kind"] = new JsonArray(KindExtension(kind));
        return json;
    }

    private static JsonObject Rule(Api.Cel.Rules.CelRule rule)
    {
        var json = new JsonObject { ["rule"] = rule.Rule };
        foreach (var (name, value) in ((string, string?)[])[("message", rule.Message), ("messageExpression", rule.MessageExpression), ("reason", rule.Reason), ("fieldPath", rule.FieldPath)])
        {
            if (value is not null)
                json[name] = value;
        }
        if (rule.OptionalOldSelf)
            json["optionalOldSelf"] = true;
        return json;
    }

    internal static JsonObject KindExtension(GroupVersionKind kind) => new() { ["group"] = kind.Group, ["kind"] = kind.Kind, ["version"] = kind.Version };

    private void Typed(Schema schema, JsonObject json)
    {
        if (TypeName(schema.Type) is { } type)
            json["type"] = type;
        if (schema.Format is { } format)
            json["format"] = format;
        if (schema.Nullable)
            json["nullable"] = true;
        if (schema.Items is { } items)
            json["items"] = Value(items);
        if (schema.AdditionalProperties is { } values)
            json["additionalProperties"] = Value(values);
        if (schema.Properties.Count > 0)
        {
            // Sorted: a frozen dictionary has its own order, and the hash of the document must not change without a cause.
            var properties = new JsonObject();
            foreach (var (name, property) in schema.Properties.OrderBy(p => p.Key, StringComparer.Ordinal))
                properties[name] = Value(property);
            json["properties"] = properties;
        }

        if (schema.Required.Count > 0)
            json["required"] = new JsonArray([.. schema.Required.Order(StringComparer.Ordinal).Select(JsonNode (r) => r)]);
    }

    // A quantity is a string or a number, an int-or-string says so in its format.
    private void Union(Schema schema, JsonObject json)
    {
        if (schema.DefinitionName is null)
            json["x-kubernetes-int-or-string"] = true;
        if (schema.Format is { } format)
            json["format"] = format;
        if (dialect == Dialect.V3)
            json["oneOf"] = new JsonArray(new JsonObject { ["type"] = schema.Format is null ? "number" : "integer" }, new JsonObject { ["type"] = "string" });
        else if (schema.DefinitionName is not null)
            json["type"] = "string";
    }

    private static void Limits(Schema schema, JsonObject json)
    {
        Add("minLength", schema.MinLength);
        Add("maxLength", schema.MaxLength);
        Add("minItems", schema.MinItems);
        Add("maxItems", schema.MaxItems);
        Add("minProperties", schema.MinProperties);
        Add("maxProperties", schema.MaxProperties);
        if (schema.Pattern is { } pattern)
            json["pattern"] = pattern;
        Real("minimum", schema.Minimum);
        Real("maximum", schema.Maximum);
        Real("multipleOf", schema.MultipleOf);
        Flag("exclusiveMinimum", schema.ExclusiveMinimum);
        Flag("exclusiveMaximum", schema.ExclusiveMaximum);
        Flag("uniqueItems", schema.UniqueItems);

        void Add(string name, long? value)
        {
            if (value is not null)
                json[name] = value;
        }

        void Real(string name, double? value)
        {
            if (value is not null)
                json[name] = value;
        }

        void Flag(string name, bool value)
        {
            if (value)
                json[name] = true;
        }
    }

    private void Logic(Schema schema, JsonObject json)
    {
        Add("allOf", schema.AllOf);
        Add("anyOf", schema.AnyOf);
        Add("oneOf", schema.OneOf);
        if (schema.Not is { } not)
            json["not"] = Definition(not);

        void Add(string name, IReadOnlyList<Schema> parts)
        {
            if (parts.Count > 0)
                json[name] = new JsonArray([.. parts.Select(JsonNode (p) => Definition(p))]);
        }
    }

    private static void MergeRules(Schema schema, JsonObject json)
    {
        if (schema.Type == SchemaType.Array)
        {
            json["x-kubernetes-list-type"] = schema.ListType.ToString().ToLowerInvariant();
            if (schema.ListMapKeys.Count > 0)
                json["x-kubernetes-list-map-keys"] = new JsonArray([.. schema.ListMapKeys.Select(JsonNode (k) => k)]);
        }

        if (schema.MapType == MapType.Atomic)
            json["x-kubernetes-map-type"] = "atomic";
        var strategy = new List<string>(2);
        if (schema.PatchStrategy.HasFlag(PatchStrategy.Merge))
            strategy.Add("merge");
        if (schema.PatchStrategy.HasFlag(PatchStrategy.RetainKeys))
            strategy.Add("retainKeys");
        if (strategy.Count > 0)
            json["x-kubernetes-patch-strategy"] = string.Join(',', strategy);
        if (schema.PatchMergeKey is { } key)
            json["x-kubernetes-patch-merge-key"] = key;
    }

    private static string? TypeName(SchemaType type) => type switch
    {
        SchemaType.Any => null,
        _ => type.ToString().ToLowerInvariant(),
    };
}
