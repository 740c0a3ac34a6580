using System.Text.Json;
using Weft.Jose;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>What an issuer says of itself (OpenID Connect Discovery 1.0; RFC 8414 has the same members).</summary>
internal static class DiscoveryDocument
{
    /// <summary>Section 4: below the issuer's own path. Null: the issuer is no address, and keys cannot be looked for there.</summary>
    public static Uri? AddressOf(string issuer) => KeyAddress.Read(issuer) is { Query: "", Fragment: "" } && !issuer.EndsWith('?') && !issuer.EndsWith('#')
        ? new Uri(issuer.TrimEnd('/') + "/.well-known/openid-configuration") : null;

    /// <summary>Where the keys are.</summary>
    /// <param name="why">They cannot be had by it; null: they can.</param>
    public static Uri? KeysOf(byte[] document, string issuer, out string? why)
    {
        why = null;
        if (StrictObject.Read(document) is not { } root)
            why = "is no JSON object with each name once";
        // Section 4.3: otherwise one issuer could speak for another.
        else if (Text(root, "issuer") != issuer)
            why = "speaks for another issuer";
        else if (Text(root, "jwks_uri") is not { } address || KeyAddress.Read(address) is not { } keys)
            why = "has no jwks_uri with https or http and without a password";
        // What came by TLS does not send us where anybody on the way may answer.
        else if (keys.Scheme != "https" && new Uri(issuer).Scheme == "https")
            why = "names keys at a place without TLS";
        else
            return keys;
        return null;
    }

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>Addresses that keys may be fetched from.</summary>
internal static class KeyAddress
{
    public static Uri? Read(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { Scheme: "https" or "http", UserInfo: "", Host.Length: > 0 } ? uri : null;
}
