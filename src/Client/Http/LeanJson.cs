using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Weft.Api;
using Weft.Api.Json;

namespace Weft.Client;

/// <summary>
/// Typed reads leave managedFields out: often half of an object's bytes, and nothing that works with types reads them. Trees have them.
/// </summary>
internal static class LeanJson
{
    private static readonly JsonSerializerOptions Options = new(ApiJson.Options)
    {
        TypeInfoResolver = ApiJson.Options.TypeInfoResolver!.WithAddedModifier(LeaveOutManagedFields),
    };

    public static T Read<T>(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException($"The server sent null where a {typeof(T).Name} was expected.");

    private static void LeaveOutManagedFields(JsonTypeInfo type)
    {
        if (type.Type != typeof(ObjectMeta))
            return;
        for (var i = type.Properties.Count - 1; i >= 0; i--)
        {
            if (type.Properties[i].Name == "managedFields")
                type.Properties.RemoveAt(i);
        }
    }
}
