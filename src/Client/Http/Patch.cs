using System.Text.Json.Nodes;

namespace Weft.Client;

/// <summary>A change to send: its media type decides how the server reads it.</summary>
public sealed record Patch(string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>RFC 7386: objects merge, null removes, a list is replaced.</summary>
    public static Patch Merge(JsonObject patch) => new("application/merge-patch+json", Bytes(patch));

    /// <summary>RFC 6902: a list of operations.</summary>
    public static Patch Json(JsonArray operations) => new("application/json-patch+json", Bytes(operations));

    /// <summary>Kubernetes' own: lists merge by the key that the schema names. Not for custom resources.</summary>
    public static Patch Strategic(JsonObject patch) => new("application/strategic-merge-patch+json", Bytes(patch));

    /// <summary>Server-side apply: the fields that the manager wants (JSON is YAML). Needs <see cref="WriteOptions.FieldManager"/>.</summary>
    public static Patch Apply(JsonObject configuration) => new("application/apply-patch+yaml", Bytes(configuration));

    private static byte[] Bytes(JsonNode node) => System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(node);
}
