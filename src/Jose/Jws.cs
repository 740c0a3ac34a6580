using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Jose;

/// <summary>A verified payload, or why there is none.</summary>
public readonly record struct JwsResult(TokenError Error, byte[] Payload, string? Type)
{
    internal static JwsResult Refused(TokenError error) => new(error, [], null);
}

/// <summary>
/// JWS in compact form (RFC 7515), as strictly as RFC 8725 advises: the keys decide the algorithm; `jku`, `x5u`, `jwk` and `x5c` are never followed;
/// any `crit` is refused, because no extension is supported.
/// </summary>
public static class Jws
{
    public static string Sign(ReadOnlySpan<byte> payload, SigningKey key, string? type = null)
    {
        var header = new JsonObject { ["alg"] = JoseAlgorithms.Es256, ["kid"] = key.KeyId };
        if (type is not null)
            header["typ"] = type;
        var signed = StrictBase64Url.Encode(Encoding.UTF8.GetBytes(header.ToJsonString())) + "." + StrictBase64Url.Encode(payload);
        return signed + "." + StrictBase64Url.Encode(key.Sign(Encoding.ASCII.GetBytes(signed)));
    }

    public static JwsResult Verify(string token, KeySet keys, JoseLimits? limits = null)
    {
        limits ??= JoseLimits.Default;
        if (token.Length > limits.MaxTokenLength)
            return JwsResult.Refused(TokenError.TooLarge);

        Span<Range> parts = stackalloc Range[4];
        var text = token.AsSpan();
        if (text.Split(parts, '.') != 3)
            return JwsResult.Refused(TokenError.Malformed);
        var first = text[parts[0]];
        var second = text[parts[1]];
        var third = text[parts[2]];
        if (first.Length > limits.MaxHeaderBytes * 4 / 3 + 4)
            return JwsResult.Refused(TokenError.TooLarge);

        var error = ReadHeader(first, limits, out var header);
        if (error != TokenError.None)
            return JwsResult.Refused(error);
        if (StrictBase64Url.Decode(third) is not { Length: > 0 } signature || StrictBase64Url.Decode(second) is not { } payload)
            return JwsResult.Refused(TokenError.Malformed);

        var candidates = keys.Candidates(header.KeyId);
        if (candidates.Count == 0)
            return JwsResult.Refused(TokenError.UnknownKey);

        var data = Encoding.ASCII.GetBytes(token, 0, first.Length + 1 + second.Length);
        foreach (var key in candidates)
        {
            if (key.Algorithm == header.Algorithm && key.Verify(data, signature))
                return new JwsResult(TokenError.None, payload, header.Type);
        }

        return JwsResult.Refused(TokenError.BadSignature);
    }

    private static TokenError ReadHeader(ReadOnlySpan<char> part, JoseLimits limits, out Header header)
    {
        header = default;
        if (StrictBase64Url.Decode(part) is not { } bytes)
            return TokenError.Malformed;
        var error = StrictJson.TryParseObject(bytes, limits.MaxDepth, out var root);
        if (error != TokenError.None)
            return error;
        if (root.TryGetProperty("crit", out _))
            return TokenError.CriticalHeader;
        // RFC 7797: a payload that is not encoded needs `crit`; `b64` alone is refused too, lest it be read as one.
        if (root.TryGetProperty("b64", out _))
            return TokenError.CriticalHeader;
        if (StrictJson.Text(root, "alg") is not { } algorithm)
            return TokenError.Malformed;
        if (algorithm is not (JoseAlgorithms.Es256 or JoseAlgorithms.Rs256))
            return TokenError.UnsupportedAlgorithm;

        string? keyId = null;
        if (root.TryGetProperty("kid", out var kid))
        {
            // Only ever a key of a dictionary: it is no path, no query and no command.
            if (kid.ValueKind != JsonValueKind.String || kid.GetString()!.Length > limits.MaxKeyIdLength)
                return TokenError.Malformed;
            keyId = kid.GetString();
        }

        header = new Header(algorithm, keyId, StrictJson.Text(root, "typ"));
        return TokenError.None;
    }

    private readonly record struct Header(string Algorithm, string? KeyId, string? Type);
}
