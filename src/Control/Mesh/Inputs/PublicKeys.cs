using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Control.Mesh.Inputs;

/// <summary>A JWK set of public keys, under the name of a Secret's entry.</summary>
public sealed record NamedKeySet(string Name, string Json);

/// <summary>Of a JWK set (RFC 7517) what may be told to all nodes: who keeps it in a Secret may keep private keys in it, too.</summary>
internal static class PublicKeys
{
    // RFC 7517 section 4, RFC 7518 sections 6.2.1 and 6.3.1: none of these is private.
    private static readonly string[] Members = ["kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e"];

    /// <summary>Null: it is no key set, or has no public key.</summary>
    public static string? Of(byte[] text)
    {
        try
        {
            if (text.AsSpan().TrimStart((ReadOnlySpan<byte>)" \r\n\t"u8) is not [(byte)'{', ..] || JsonTree.Parse(text) is not { Root: JsonObject set, Duplicates.Count: 0 } || set["keys"] is not JsonArray keys)
                return null;
            var all = keys.OfType<JsonObject>().Where(key => key["kty"] is JsonValue kind && kind.TryGetValue<string>(out var type) && type is "RSA" or "EC").Select(Public).ToArray<JsonNode>();
            return all.Length == 0 ? null : new JsonObject { ["keys"] = new JsonArray(all) }.ToJsonString();
        }
        catch (TreeException)
        {
            return null;
        }
    }

    private static JsonObject Public(JsonObject key) => new(Members.Where(key.ContainsKey).Select(name => KeyValuePair.Create(name, key[name]?.DeepClone())));
}
