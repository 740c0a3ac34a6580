using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Weft.Api.Schemas;

/// <summary>
/// Makes the schema of a built-in kind from its C# type. Lazy: a type is read when something first looks at its members, so that a start pays only
/// for what it touches, and a type may contain itself. Keep one reader: types shared by kinds (PodSpec) are then read once.
/// </summary>
public sealed class SchemaReader
{
    private readonly ConcurrentDictionary<Type, Schema> _records = new();
    private readonly Descriptions _descriptions;

    public SchemaReader(Descriptions? descriptions = null) => _descriptions = descriptions ?? new Descriptions();

    public Schema FromType(Type type) => type.GetCustomAttribute<KindAttribute>() is null ? Record(type) : Root(type);

    private Schema Root(Type type)
    {
        var info = KindInfo.Of(type);
        var record = Record(type);
        return new()
        {
            Type = SchemaType.Object, DefinitionName = info.DefinitionName, Kind = info.Kind,
            PropertiesFactory = () => record.Properties, Required = record.Required, DescriptionFactory = () => record.Description,
        };
    }

    private Schema Record(Type type) => _records.GetOrAdd(type, static (key, reader) => reader.ReadRecord(key), this);

    private Schema ReadRecord(Type type) => new()
    {
        Type = SchemaType.Object,
        DefinitionName = type.GetCustomAttribute<DefinitionAttribute>()?.Name ?? (type.IsDefined(typeof(KindAttribute)) ? KindInfo.Of(type).DefinitionName : null),
        MapType = type.IsDefined(typeof(AtomicAttribute)) ? MapType.Atomic : MapType.Granular,
        Required = [.. Members(type).Where(member => member.IsDefined(typeof(MustAttribute))).Select(NameOf)],
        PropertiesFactory = () => Members(type).ToFrozenDictionary(NameOf, member => Property(type, member)),
        Validations = Rules(type),
        DescriptionFactory = () => _descriptions.Of(type),
    };

    private static IEnumerable<PropertyInfo> Members(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(member => member.CanWrite && !member.IsDefined(typeof(JsonIgnoreAttribute)));

    private static string NameOf(PropertyInfo member) =>
        member.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(member.Name);

    private Schema Property(Type owner, PropertyInfo member)
    {
        var type = Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType;
        var definition = member.GetCustomAttribute<DefinitionAttribute>()?.Name;
        var list = member.GetCustomAttribute<ListAttribute>();
        var patch = member.GetCustomAttribute<PatchAttribute>();
        var range = member.GetCustomAttribute<RangeOfAttribute>();
        var count = member.GetCustomAttribute<CountAttribute>();
        var items = ItemType(type, typeof(IReadOnlyList<>), 0);
        var values = ItemType(type, typeof(IReadOnlyDictionary<,>), 1);
        var value = Value(type, definition, items, values);
        var text = LimitedText(member);
        if (text is not null && items == typeof(string))
            value = new() { Type = SchemaType.Array, Items = text };
        else if (text is not null && values == typeof(string))
            value = new() { Type = SchemaType.Object, AdditionalProperties = text };

        return new()
        {
            Type = value.Type,
            Format = member.GetCustomAttribute<FormatAttribute>()?.Format ?? value.Format,
            DefinitionName = value.DefinitionName,
            Definition = value.DefinitionName is null ? null : value,
            IntOrString = value.IntOrString,
            PreserveUnknownFields = value.PreserveUnknownFields,
            PropertiesFactory = () => value.Properties,
            Required = value.Required,
            Items = value.Items,
            AdditionalProperties = value.AdditionalProperties,
            DescriptionFactory = () => _descriptions.Of(owner, member),
            ListType = list?.Type ?? ListType.Atomic,
            ListMapKeys = list?.Keys ?? [],
            MapType = member.IsDefined(typeof(AtomicAttribute)) ? MapType.Atomic : value.MapType,
            PatchStrategy = patch?.Strategy ?? PatchStrategy.Replace,
            PatchMergeKey = patch?.MergeKey,
            Default = member.GetCustomAttribute<DefaultAttribute>() is { } fixedDefault ? JsonNode.Parse(fixedDefault.Json) : null,
            Enum = [.. (member.GetCustomAttribute<OneOfAttribute>()?.Values ?? []).Select(text => (JsonNode?)JsonValue.Create(text))],
            Immutable = member.IsDefined(typeof(ImmutableAttribute)),
            Minimum = range?.Minimum,
            Maximum = range?.Maximum,
            MinLength = type == typeof(string) ? text?.MinLength : null,
            MaxLength = type == typeof(string) ? text?.MaxLength : null,
            Pattern = type == typeof(string) ? text?.Pattern : null,
            MinItems = items is null ? null : Positive(count?.Minimum),
            MaxItems = items is null ? null : count?.Maximum,
            MinProperties = values is null ? null : Positive(count?.Minimum),
            MaxProperties = values is null ? null : count?.Maximum,
            Validations = [.. value.Validations, .. Rules(member)],
        };
    }

    private static Schema? LimitedText(PropertyInfo member)
    {
        var length = member.GetCustomAttribute<LengthAttribute>();
        var pattern = member.GetCustomAttribute<PatternAttribute>();
        return length is null && pattern is null ? null
            : new() { Type = SchemaType.String, MinLength = Positive(length?.Minimum), MaxLength = length?.Maximum, Pattern = pattern?.Pattern };
    }

    private static long? Positive(int? number) => number > 0 ? number : null;

    private static IReadOnlyList<Cel.Rules.CelRule> Rules(MemberInfo member) =>
        [.. member.GetCustomAttributes<RuleAttribute>().Select(rule => new Cel.Rules.CelRule(rule.Rule) { Message = rule.Message })];

    // A definition on a list names its items.
    private Schema Value(Type type, string? definition, Type? items, Type? values)
    {
        if (items is not null)
            return new() { Type = SchemaType.Array, Items = Value(items, definition) };
        if (values is not null)
            return new() { Type = SchemaType.Object, AdditionalProperties = Value(values, definition) };
        return Value(type, definition);
    }

    private Schema Value(Type type, string? definition)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Scalars.TryGetValue(type, out var scalar))
            return scalar;
        if (type == typeof(JsonObject))
            return new() { Type = SchemaType.Object, DefinitionName = definition, PreserveUnknownFields = true };
        if (type == typeof(JsonNode))
            return new() { Type = SchemaType.Any, DefinitionName = definition, PreserveUnknownFields = true };
        if (ItemType(type, typeof(IReadOnlyList<>), 0) is { } items)
            return new() { Type = SchemaType.Array, Items = Value(items, definition) };
        if (ItemType(type, typeof(IReadOnlyDictionary<,>), 1) is { } values)
            return new() { Type = SchemaType.Object, AdditionalProperties = Value(values, definition) };
        if (type.IsClass && type.Namespace?.StartsWith("System", StringComparison.Ordinal) != true)
            return Record(type);
        throw new NotSupportedException($"a member of type {type} has no schema: use a record, a list, a map or a scalar of the API");
    }

    private static Type? ItemType(Type type, Type generic, int argument) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == generic ? type.GetGenericArguments()[argument] : null;

    // A quantity is a string without a format, as in Kubernetes' OpenAPI; that it may be written as a number the validator knows from its definition.
    private static readonly FrozenDictionary<Type, Schema> Scalars = new Dictionary<Type, Schema>
    {
        [typeof(string)] = new() { Type = SchemaType.String },
        [typeof(bool)] = new() { Type = SchemaType.Boolean },
        [typeof(int)] = new() { Type = SchemaType.Integer, Format = "int32" },
        [typeof(long)] = new() { Type = SchemaType.Integer, Format = "int64" },
        [typeof(double)] = new() { Type = SchemaType.Number, Format = "double" },
        [typeof(byte[])] = new() { Type = SchemaType.String, Format = "byte" },
        [typeof(DateTimeOffset)] = new() { Type = SchemaType.String, Format = "date-time", DefinitionName = "io.k8s.apimachinery.pkg.apis.meta.v1.Time" },
        [typeof(MicroTime)] = new() { Type = SchemaType.String, Format = "date-time", DefinitionName = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime" },
        [typeof(Quantity)] = new() { Type = SchemaType.String, DefinitionName = "io.k8s.apimachinery.pkg.api.resource.Quantity" },
        [typeof(IntOrString)] = new() { Type = SchemaType.String, IntOrString = true, Format = "int-or-string", DefinitionName = "io.k8s.apimachinery.pkg.util.intstr.IntOrString" },
    }.ToFrozenDictionary();
}
