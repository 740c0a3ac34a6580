using System.Text.Json;

namespace Weft.Jose;

/// <summary>Documents of issuers other than tokens and keys, read as strictly as these.</summary>
public static class StrictObject
{
    /// <summary>Null: it is no JSON object, has a name twice, or breaks a limit.</summary>
    public static JsonElement? Read(ReadOnlyMemory<byte> utf8, JoseLimits? limits = null)
    {
        limits ??= JoseLimits.Default;
        return utf8.Length <= limits.MaxKeySetBytes && StrictJson.TryParseObject(utf8, limits.MaxDepth, out var root) == TokenError.None ? root : null;
    }
}
