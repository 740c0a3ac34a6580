using System.Text.Json;
using System.Text.Json.Serialization;
using Weft.Control.Discovery.Model;

namespace Weft.Control.Discovery.Registry;

/// <summary>Names and bytes of what is kept. Names of clients are escaped, so that a '/' in one makes no other record; keys of values stand as they are, last.</summary>
internal static class Records
{
    public const string Meta = "meta";
    public const string Values = "kv/";

    public static string Node(string name) => $"node/{Uri.EscapeDataString(name)}";

    public static string Instance(InstanceKey key) => $"instance/{Uri.EscapeDataString(key.Node)}/{Uri.EscapeDataString(key.Id)}";

    public static string Check(CheckKey key) => $"check/{Uri.EscapeDataString(key.Node)}/{Uri.EscapeDataString(key.Id)}";

    public static string Status(CheckKey key) => $"status/{Uri.EscapeDataString(key.Node)}/{Uri.EscapeDataString(key.Id)}";

    public static string Value(string key) => Values + key;

    public static string Session(string id) => $"session/{Uri.EscapeDataString(id)}";

    public static byte[] Write(NodeRecord value) => JsonSerializer.SerializeToUtf8Bytes(value, RecordJson.Default.NodeRecord);

    public static byte[] Write(Instance value) => JsonSerializer.SerializeToUtf8Bytes(value, RecordJson.Default.Instance);

    public static byte[] Write(Check value) => JsonSerializer.SerializeToUtf8Bytes(value, RecordJson.Default.Check);

    public static byte[] Write(KeptStatus value) => JsonSerializer.SerializeToUtf8Bytes(value, RecordJson.Default.KeptStatus);

    public static byte[] Write(KeyValue value) => JsonSerializer.SerializeToUtf8Bytes(value, RecordJson.Default.KeyValue);

    public static byte[] Write(Session value) => JsonSerializer.SerializeToUtf8Bytes(value, RecordJson.Default.Session);

    public static byte[] Write(RegistryMeta value) => JsonSerializer.SerializeToUtf8Bytes(value, RecordJson.Default.RegistryMeta);
}

/// <param name="Reserved">No index at or above it was given out.</param>
/// <param name="AliveAt">When the registry last said that it runs.</param>
internal sealed record RegistryMeta(long Reserved, DateTimeOffset AliveAt);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, UseStringEnumConverter = true)]
[JsonSerializable(typeof(NodeRecord))]
[JsonSerializable(typeof(Instance))]
[JsonSerializable(typeof(Check))]
[JsonSerializable(typeof(KeptStatus))]
[JsonSerializable(typeof(KeyValue))]
[JsonSerializable(typeof(Session))]
[JsonSerializable(typeof(RegistryMeta))]
internal sealed partial class RecordJson : JsonSerializerContext;
