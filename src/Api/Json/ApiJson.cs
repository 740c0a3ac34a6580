using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

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
        TypeInfoResolver = JsonTypeInfoResolver.Combine(new RecordContracts(), new DefaultJsonTypeInfoResolver()),
    };
}
