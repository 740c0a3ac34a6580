using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Jose;

/// <summary>The public keys of one issuer (RFC 7517). Immutable.</summary>
public sealed class KeySet : IDisposable
{
    private readonly FrozenDictionary<string, VerificationKey> _byId;

    public KeySet(IEnumerable<VerificationKey> keys)
    {
        Keys = [.. keys];
        // Two keys with one id: the first counts, so that a later entry cannot replace one in use.
        _byId = Keys.Where(k => k.KeyId.Length > 0).DistinctBy(k => k.KeyId).ToFrozenDictionary(k => k.KeyId);
    }

    public IReadOnlyList<VerificationKey> Keys { get; }

    /// <summary>The keys a token may have been signed with: the one with its id, or, without an id, all.</summary>
    internal IReadOnlyList<VerificationKey> Candidates(string? keyId)
    {
        if (keyId is null)
            return Keys;
        return _byId.TryGetValue(keyId, out var key) ? [key] : [];
    }

    public JsonObject ToJson() => new() { ["keys"] = new JsonArray([.. Keys.Select(JsonNode (k) => k.ToJwk())]) };

    /// <summary>
    /// Reads a key set document. Keys for other purposes and of other types are passed over (a provider may publish several); null when the document
    /// itself is not a key set or breaks a limit.
    /// </summary>
    public static KeySet? Parse(ReadOnlyMemory<byte> utf8, JoseLimits? limits = null)
    {
        limits ??= JoseLimits.Default;
        if (utf8.Length > limits.MaxKeySetBytes || StrictJson.TryParseObject(utf8, limits.MaxDepth, out var root) != TokenError.None)
            return null;
        if (!root.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array || keys.GetArrayLength() > limits.MaxKeys)
            return null;
        return new KeySet(keys.EnumerateArray().Select(k => ParseKey(k, limits)).OfType<VerificationKey>());
    }

    private static VerificationKey? ParseKey(JsonElement jwk, JoseLimits limits)
    {
        if (jwk.ValueKind != JsonValueKind.Object)
            return null;
        if (jwk.TryGetProperty("use", out var use) && !use.ValueEquals("sig"))
            return null;
        var id = StrictJson.Text(jwk, "kid") ?? "";
        if (id.Length > limits.MaxKeyIdLength)
            return null;

        var algorithm = StrictJson.Text(jwk, "alg");
        try
        {
            return StrictJson.Text(jwk, "kty") switch
            {
                "EC" when algorithm is null or JoseAlgorithms.Es256 && StrictJson.Text(jwk, "crv") == "P-256" && Bytes(jwk, "x") is { } x && Bytes(jwk, "y") is { } y
                    => VerificationKey.Es256(id, new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } }),
                "RSA" when algorithm is null or JoseAlgorithms.Rs256 && Bytes(jwk, "n") is { } n && Bytes(jwk, "e") is { } e
                    => VerificationKey.Rs256(id, new RSAParameters { Modulus = n, Exponent = e }),
                _ => null,
            };
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static byte[]? Bytes(JsonElement jwk, string name) => StrictJson.Text(jwk, name) is { } text ? StrictBase64Url.Decode(text) : null;

    public void Dispose()
    {
        foreach (var key in Keys)
            key.Dispose();
    }
}
