using System.Text.Json;

namespace Weft.Jose;

/// <summary>The claims of a token (RFC 7519), read strictly: a registered claim of a wrong type makes the token malformed.</summary>
public sealed record JwtClaims
{
    public string? Issuer { get; private init; }
    public string? Subject { get; private init; }
    public IReadOnlyList<string> Audiences { get; private init; } = [];
    public DateTimeOffset? Expires { get; private init; }
    public DateTimeOffset? NotBefore { get; private init; }
    public DateTimeOffset? IssuedAt { get; private init; }
    public string? Id { get; private init; }

    /// <summary>All claims as they stand in the token.</summary>
    public JsonElement Root { get; private init; }

    public static TokenError TryParse(ReadOnlyMemory<byte> payload, JoseLimits limits, out JwtClaims claims)
    {
        claims = new JwtClaims();
        var error = StrictJson.TryParseObject(payload, limits.MaxDepth, out var root);
        if (error != TokenError.None)
            return error;

        if (!Text(root, "iss", out var issuer) || !Text(root, "sub", out var subject) || !Text(root, "jti", out var id)
            || !Time(root, "exp", out var expires) || !Time(root, "nbf", out var notBefore) || !Time(root, "iat", out var issuedAt)
            || !AudienceList(root, out var audiences))
            return TokenError.Malformed;

        claims = new JwtClaims
        {
            Issuer = issuer, Subject = subject, Id = id, Audiences = audiences,
            Expires = expires, NotBefore = notBefore, IssuedAt = issuedAt, Root = root,
        };
        return TokenError.None;
    }

    /// <summary>Reads the issuer of a token without checking anything: only to choose whose keys to check it with.</summary>
    public static string? PeekIssuer(string token, JoseLimits? limits = null)
    {
        limits ??= JoseLimits.Default;
        if (token.Length > limits.MaxTokenLength)
            return null;
        Span<Range> parts = stackalloc Range[4];
        var text = token.AsSpan();
        if (text.Split(parts, '.') != 3 || StrictBase64Url.Decode(text[parts[1]]) is not { } payload)
            return null;
        return TryParse(payload, limits, out var claims) == TokenError.None ? claims.Issuer : null;
    }

    private static bool Text(JsonElement root, string name, out string? text)
    {
        text = null;
        if (!root.TryGetProperty(name, out var value))
            return true;
        if (value.ValueKind != JsonValueKind.String)
            return false;
        text = value.GetString();
        return true;
    }

    private static bool Time(JsonElement root, string name, out DateTimeOffset? time)
    {
        time = null;
        if (!root.TryGetProperty(name, out var value))
            return true;
        // RFC 7519 2: seconds, perhaps with a fraction. Year 9999 at most, which DateTimeOffset can hold.
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || seconds is not (>= 0 and <= 253402300799))
            return false;
        time = DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000));
        return true;
    }

    private static bool AudienceList(JsonElement root, out IReadOnlyList<string> audiences)
    {
        audiences = [];
        if (!root.TryGetProperty("aud", out var value))
            return true;
        if (value.ValueKind == JsonValueKind.String)
        {
            audiences = [value.GetString()!];
            return true;
        }

        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.String))
            return false;
        audiences = [.. value.EnumerateArray().Select(v => v.GetString()!)];
        return true;
    }
}
