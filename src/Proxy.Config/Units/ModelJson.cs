using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Config.Units;

/// <summary>
/// The records of the model as JSON: what has its default is left out, whatever the default is (the source generator knows only those of the type: `true` by default and
/// `false` by choice would be read back as `true`). A record of several kinds says which in `type`: its name without the name of what it is a kind of.
/// </summary>
internal static class ModelJson
{
    // Routes with conditions and edits of a weighted cluster are about 14 deep.
    private const int MaxDepth = 24;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        MaxDepth = MaxDepth,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false), new ValueListConverters(), new ValueMapConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutDefaults, NameKinds } },
    };

    public static ConfigUnit Write<T>(UnitKey key, T unit) => ConfigUnit.Create(key, JsonSerializer.SerializeToUtf8Bytes(unit, Options));

    public static T Read<T>(ConfigUnit unit) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(unit.Bytes.Span, Options) ?? throw new UnitException("", "is null");
        }
        catch (Exception bad) when (bad is JsonException or ArgumentException or NotSupportedException)
        {
            throw new UnitException((bad as JsonException)?.Path ?? "", "cannot be read: " + bad.Message);
        }
    }

    private static void LeaveOutDefaults(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
            return;
        var parameters = IsPositional(type.Type) ? LongestConstructor(type.Type).GetParameters().ToFrozenDictionary(p => p.Name!, StringComparer.OrdinalIgnoreCase) : null;
        var fresh = type.Type.IsAbstract ? null : Fresh(type.Type);
        foreach (var property in type.Properties.ToList())
        {
            var member = (property.AttributeProvider as PropertyInfo)!;
            if (member.SetMethod is null)
            {
                type.Properties.Remove(property); // computed from others
                continue;
            }

            if (parameters?.GetValueOrDefault(property.Name) is { } parameter)
                property.ShouldSerialize = parameter.HasDefaultValue ? (_, value) => !Equals(value, DefaultOf(parameter)) : null;
            else if (fresh is not null && member.GetValue(fresh) is var initial)
                property.ShouldSerialize = (_, value) => !Equals(value, initial);
            else
                property.ShouldSerialize = (_, value) => value is not null;
        }
    }

    private static bool IsPositional(Type type) => type is { IsValueType: false, IsAbstract: false } && type.GetConstructor(Type.EmptyTypes) is null;

    private static ConstructorInfo LongestConstructor(Type type) => type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First();

    // With the defaults of all that is no parameter.
    private static object? Fresh(Type type) => IsPositional(type)
        ? LongestConstructor(type) is var constructor ? constructor.Invoke([.. constructor.GetParameters().Select(DefaultOf)]) : null
        : Activator.CreateInstance(type);

    private static object? DefaultOf(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        return parameter is { HasDefaultValue: true, DefaultValue: { } value }
            ? type.IsEnum ? Enum.ToObject(type, value) : value
            : type.IsValueType && Nullable.GetUnderlyingType(type) is null ? Activator.CreateInstance(type) : null;
    }

    private static void NameKinds(JsonTypeInfo type)
    {
        if (!type.Type.IsAbstract || type.Type.Assembly != typeof(ModelJson).Assembly)
            return;
        type.PolymorphismOptions = new JsonPolymorphismOptions { TypeDiscriminatorPropertyName = "type", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization };
        foreach (var kind in type.Type.Assembly.GetTypes().Where(t => t.IsSealed && t.IsSubclassOf(type.Type)).OrderBy(t => t.Name, StringComparer.Ordinal))
            type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(kind, NameOf(kind.Name, type.Type.Name)));
    }

    // `ForwardAction` of `RouteAction` is `forward`, `JwtFilter` of `FilterConfig` is `jwt`.
    private static string NameOf(string kind, string family)
    {
        var last = family.EndsWith("Config", StringComparison.Ordinal) ? family[..^"Config".Length] : family;
        var words = last.Index().Where(c => char.IsUpper(c.Item)).Select(c => last[c.Index..]);
        var suffix = words.FirstOrDefault(word => kind.Length > word.Length && kind.EndsWith(word, StringComparison.Ordinal)) ?? "";
        return JsonNamingPolicy.CamelCase.ConvertName(kind[..^suffix.Length]);
    }
}

internal sealed class ValueListConverters : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(ValueList<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options)
        => (JsonConverter)Activator.CreateInstance(typeof(ValueListConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;
}

internal sealed class ValueListConverter<T> : JsonConverter<ValueList<T>>
{
    public override ValueList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var items = JsonSerializer.Deserialize<T[]>(ref reader, options) ?? throw new JsonException("null where a list was expected");
        return items.Any(item => item is null) ? throw new JsonException("a list has no null") : new(items);
    }

    public override void Write(Utf8JsonWriter writer, ValueList<T> value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var item in value)
            JsonSerializer.Serialize(writer, item, options);
        writer.WriteEndArray();
    }
}

internal sealed class ValueMapConverter : JsonConverter<ValueMap>
{
    public override ValueMap Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        => new(JsonSerializer.Deserialize<Dictionary<string, string>>(ref reader, options) ?? throw new JsonException("null where a map was expected"));

    public override void Write(Utf8JsonWriter writer, ValueMap value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, text) in value)
            writer.WriteString(name, text);
        writer.WriteEndObject();
    }
}
