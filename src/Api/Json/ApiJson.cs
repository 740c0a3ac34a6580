using System.Collections;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Weft.Api.Schemas;

namespace Weft.Api.Json;

/// <summary>Typed views of trees and bytes: what is unknown is ignored on reading, what is null or empty is left out on writing.</summary>
public static class ApiJson
{
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>The object as a tree; apiVersion and kind come from its type when absent. An empty status is left out.</summary>
    public static JsonObject ToTree<T>(T value) where T : notnull
    {
        var tree = JsonSerializer.SerializeToNode(value, value.GetType(), Options)!.AsObject();
        if (value is not IObject)
            return tree;

        if (tree["status"] is JsonObject { Count: 0 })
            tree.Remove("status");
        if (tree["kind"] is null)
        {
            var kind = KindInfo.Of(value.GetType());
            tree.Remove("apiVersion");
            tree.Remove("kind");
            tree.Insert(0, "apiVersion", kind.Kind.ApiVersion);
            tree.Insert(1, "kind", kind.Kind.Kind);
        }
        return tree;
    }

    public static T FromTree<T>(JsonNode tree) =>
        tree.Deserialize<T>(Options) ?? throw new JsonException($"null where a {typeof(T).Name} was expected");

    public static T Deserialize<T>(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException($"null where a {typeof(T).Name} was expected");

    public static byte[] Serialize<T>(T value) where T : notnull =>
        value is IObject ? JsonSerializer.SerializeToUtf8Bytes(ToTree(value), Options) : JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), Options);

    private static JsonSerializerOptions Create() => new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new TimeConverter(), new MicroTimeConverter(), new QuantityConverter(), new IntOrStringConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { NullsAreAbsent, OmitEmptyCollections } },
    };

    // `labels: null` is the same as no labels: a member that is never null keeps its default.
    private static void NullsAreAbsent(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
            return;
        foreach (var property in type.Properties)
        {
            if (property.IsSetNullable || property.PropertyType.IsValueType || property.Set is not { } set)
                continue;
            property.IsSetNullable = true;
            property.Set = (target, value) =>
            {
                if (value is not null)
                    set(target, value);
            };
        }
    }

    // A required list is written even when empty: `rules: []` is not an absent member.
    private static void OmitEmptyCollections(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
            return;
        foreach (var property in type.Properties)
        {
            if (property.PropertyType == typeof(string) || property.PropertyType == typeof(byte[])
                || typeof(JsonNode).IsAssignableFrom(property.PropertyType)
                || !typeof(IEnumerable).IsAssignableFrom(property.PropertyType)
                || property.AttributeProvider?.IsDefined(typeof(MustAttribute), inherit: false) == true)
                continue;
            property.ShouldSerialize = static (_, value) => value switch
            {
                null => false,
                ICollection collection => collection.Count > 0,
                IEnumerable items => items.GetEnumerator().MoveNext(),
                _ => true,
            };
        }
    }
}
