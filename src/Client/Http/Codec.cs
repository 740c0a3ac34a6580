using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Json;

namespace Weft.Client;

/// <summary>How objects of a resource travel: as a type, as a tree, or as their metadata alone.</summary>
internal abstract class Codec<T> where T : class
{
    public abstract string Accept { get; }
    public abstract string AcceptList { get; }
    public abstract T Read(ReadOnlySpan<byte> json);
    public abstract byte[] Write(T value);
}

internal class TypedCodec<T> : Codec<T> where T : class
{
    public override string Accept => "application/json";
    public override string AcceptList => Accept;
    public override T Read(ReadOnlySpan<byte> json) => LeanJson.Read<T>(json);
    public sealed override byte[] Write(T value) => ApiJson.Serialize(value);
}

/// <summary>
/// Of custom kinds, whose schema may be a user's and let in what the type cannot hold. Such an object is read as its metadata alone, as if it specified nothing: one that
/// ended the whole list would hide all others.
/// </summary>
internal sealed class CustomCodec<T> : TypedCodec<T> where T : class
{
    public override T Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return base.Read(json);
        }
        catch (JsonException) when (JsonNode.Parse(json) is JsonObject { } tree && tree["metadata"] is JsonObject metadata)
        {
            return base.Read(JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["apiVersion"] = tree["apiVersion"]?.DeepClone(), ["kind"] = tree["kind"]?.DeepClone(), ["metadata"] = metadata.DeepClone() }));
        }
    }
}

internal sealed class TreeCodec : Codec<JsonObject>
{
    public override string Accept => "application/json";
    public override string AcceptList => Accept;

    public override JsonObject Read(ReadOnlySpan<byte> json) =>
        JsonNode.Parse(json) as JsonObject ?? throw new JsonException("The server sent something else than a JSON object.");

    public override byte[] Write(JsonObject value) => JsonSerializer.SerializeToUtf8Bytes(value);
}

internal sealed class MetadataCodec : Codec<PartialObjectMetadata>
{
    public override string Accept => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    public override string AcceptList => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    public override PartialObjectMetadata Read(ReadOnlySpan<byte> json) => LeanJson.Read<PartialObjectMetadata>(json);
    public override byte[] Write(PartialObjectMetadata value) => JsonSerializer.SerializeToUtf8Bytes(value, ApiJson.Options);
}
