using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Api.Schemas;

/// <summary>Makes a schema from the `openAPIV3Schema` of a custom kind. The tree is taken as it is; what a structural schema may say is checked at the CRD's own write.</summary>
public static class CrdSchema
{
    /// <param name="openApiV3Schema">The tree; read, never kept or changed.</param>
    /// <param name="kind">The kind, when the schema is that of a whole object: it then gets apiVersion, kind and metadata.</param>
    /// <param name="meta">Schema of metadata, from <see cref="SchemaReader"/>.</param>
    public static Schema FromCrd(JsonObject openApiV3Schema, GroupVersionKind? kind = null, Schema? meta = null, string? definitionName = null) =>
        new Reading(meta, isLater: false).Read(openApiV3Schema, new Frame(kind, meta, definitionName));

    /// <summary>The same, but members are read when something first looks at them: most kinds of a cluster are never asked for in a run.</summary>
    /// <param name="openApiV3Schema">Kept: nobody may change it from now on.</param>
    public static Schema LaterFromCrd(JsonObject openApiV3Schema, GroupVersionKind? kind = null, Schema? meta = null, string? definitionName = null) =>
        new Reading(meta, isLater: true).Read(openApiV3Schema, new Frame(kind, meta, definitionName));

    // Only a root or an embedded resource has one.
    private sealed record Frame(GroupVersionKind? Kind, Schema? Meta, string? DefinitionName);

    private sealed class Reading(Schema? meta, bool isLater)
    {
        // One reader at a time: a tree makes its own members when it is first read, too.
        private readonly Lock _reading = new();
        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, PatternMatcher> _patterns = new();

        public Schema Read(JsonObject tree, Frame? root = null)
        {
            var embedded = Flag(tree, "x-kubernetes-embedded-resource");
            var intOrString = Flag(tree, "x-kubernetes-int-or-string");
            var isObject = embedded || root is not null && (root.Kind is not null || root.Meta is not null);
            var hasMembers = isObject || tree["properties"] is JsonObject members && members.Any(member => member.Value is JsonObject);

            return new()
            {
                Type = intOrString ? SchemaType.Any : TypeOf(Text(tree, "type"), hasMembers),
                Format = Text(tree, "format"),
                Description = Text(tree, "description"),
                DefinitionName = root?.DefinitionName,
                Kind = root?.Kind,
                PropertiesFactory = hasMembers ? PropertiesOf(tree, isObject) : null,
                Items = tree["items"] is JsonObject items ? Read(items) : null,
                AdditionalProperties = tree["additionalProperties"] switch
                {
                    JsonObject schema => Read(schema),
                    JsonValue value when value.TryGetValue<bool>(out var any) && any => Schema.Anything,
                    _ => null,
                },
                Required = embedded ? [.. Texts(tree, "required").Union(["apiVersion", "kind"])] : Texts(tree, "required"),
                Default = tree["default"]?.DeepClone(),
                Enum = tree["enum"] is JsonArray values ? [.. values.Select(value => value?.DeepClone())] : [],
                Nullable = Flag(tree, "nullable"),
                IntOrString = intOrString,
                PreserveUnknownFields = Flag(tree, "x-kubernetes-preserve-unknown-fields"),
                EmbeddedResource = embedded,
                ListType = Text(tree, "x-kubernetes-list-type") switch { "map" => ListType.Map, "set" => ListType.Set, _ => ListType.Atomic },
                ListMapKeys = Texts(tree, "x-kubernetes-list-map-keys"),
                Validations = Rules(tree),
                MapType = Text(tree, "x-kubernetes-map-type") == "atomic" ? MapType.Atomic : MapType.Granular,
                MinLength = Whole(tree, "minLength"),
                MaxLength = Whole(tree, "maxLength"),
                Pattern = Text(tree, "pattern"),
                Patterns = _patterns,
                Minimum = Number(tree, "minimum"),
                Maximum = Number(tree, "maximum"),
                ExclusiveMinimum = Flag(tree, "exclusiveMinimum"),
                ExclusiveMaximum = Flag(tree, "exclusiveMaximum"),
                MultipleOf = Number(tree, "multipleOf"),
                MinItems = Whole(tree, "minItems"),
                MaxItems = Whole(tree, "maxItems"),
                UniqueItems = Flag(tree, "uniqueItems"),
                MinProperties = Whole(tree, "minProperties"),
                MaxProperties = Whole(tree, "maxProperties"),
                AllOf = Schemas(tree, "allOf"),
                AnyOf = Schemas(tree, "anyOf"),
                OneOf = Schemas(tree, "oneOf"),
                Not = tree["not"] is JsonObject not ? Read(not) : null,
            };
        }

        private Func<FrozenDictionary<string, Schema>> PropertiesOf(JsonObject tree, bool isObject)
        {
            if (isLater)
                return ReadLater;
            var properties = ReadMembers();
            return () => properties.ToFrozenDictionary();

            FrozenDictionary<string, Schema> ReadLater()
            {
                lock (_reading)
                    return ReadMembers().ToFrozenDictionary();
            }

            Dictionary<string, Schema> ReadMembers()
            {
                var members = Members(tree, "properties");
                if (isObject)
                    AddObjectMembers(members, tree.At("properties", "metadata", "properties") as JsonObject);
                return members;
            }
        }

        private void AddObjectMembers(Dictionary<string, Schema> properties, JsonObject? restrictions)
        {
            properties["apiVersion"] = new() { Type = SchemaType.String, Description = "Group and version of the kind: v1, apps/v1." };
            properties["kind"] = new() { Type = SchemaType.String, Description = "Name of the kind." };
            // Metadata is known whatever the schema says of it, which may only restrict names.
            properties["metadata"] = meta is null ? new() { Type = SchemaType.Object, PreserveUnknownFields = true } : restrictions is null ? meta : Restricted(meta, restrictions);
        }

        private Schema Restricted(Schema plain, JsonObject restrictions)
        {
            var members = plain.Properties.ToDictionary();
            foreach (var name in (ReadOnlySpan<string>)["name", "generateName"])
            {
                if (restrictions[name] is JsonObject rule)
                    members[name] = Read(rule);
            }
            return new()
            {
                Type = SchemaType.Object, DefinitionName = plain.DefinitionName, Definition = plain, Description = plain.Description, PropertiesFactory = () => members.ToFrozenDictionary(),
            };
        }

        private static SchemaType TypeOf(string? type, bool hasMembers) => type switch
        {
            "object" => SchemaType.Object,
            "array" => SchemaType.Array,
            "string" => SchemaType.String,
            "integer" => SchemaType.Integer,
            "number" => SchemaType.Number,
            "boolean" => SchemaType.Boolean,
            _ => hasMembers ? SchemaType.Object : SchemaType.Any,
        };

        private Dictionary<string, Schema> Members(JsonObject tree, string name)
        {
            var members = new Dictionary<string, Schema>();
            if (tree[name] is JsonObject found)
            {
                foreach (var (key, value) in found)
                {
                    if (value is JsonObject schema)
                        members[key] = Read(schema);
                }
            }
            return members;
        }

        private IReadOnlyList<Schema> Schemas(JsonObject tree, string name) =>
            tree[name] is JsonArray list ? [.. list.OfType<JsonObject>().Select(schema => Read(schema))] : [];

        private static IReadOnlyList<Cel.Rules.CelRule> Rules(JsonObject tree) => tree["x-kubernetes-validations"] is not JsonArray list ? [] :
        [
            .. list.OfType<JsonObject>().Select(rule => new Cel.Rules.CelRule(Text(rule, "rule") ?? "")
            {
                Message = Text(rule, "message"), MessageExpression = Text(rule, "messageExpression"), Reason = Text(rule, "reason"), FieldPath = Text(rule, "fieldPath"),
                OptionalOldSelf = Flag(rule, "optionalOldSelf"),
            }),
        ];

        private static string? Text(JsonObject tree, string name) => tree[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

        private static bool Flag(JsonObject tree, string name) => tree[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

        private static long? Whole(JsonObject tree, string name) => Number(tree, name) is { } number ? (long)number : null;

        private static double? Number(JsonObject tree, string name) =>
            tree[name] is JsonValue value && value.GetValueKind() == System.Text.Json.JsonValueKind.Number
            && double.TryParse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;

        private static IReadOnlyList<string> Texts(JsonObject tree, string name) =>
            tree[name] is JsonArray list ? [.. list.OfType<JsonValue>().Where(item => item.TryGetValue<string>(out _)).Select(item => item.GetValue<string>())] : [];
    }
}
