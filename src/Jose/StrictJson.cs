using System.Text;
using System.Text.Json;

namespace Weft.Jose;

/// <summary>JSON objects without duplicate members, comments or trailing bytes: two readers must never see two tokens in one.</summary>
internal static class StrictJson
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static TokenError TryParseObject(ReadOnlyMemory<byte> utf8, int maxDepth, out JsonElement root)
    {
        root = default;
        var plain = new JsonDocumentOptions { MaxDepth = maxDepth };
        try
        {
            StrictUtf8.GetCharCount(utf8.Span);
            using (var document = JsonDocument.Parse(utf8, plain))
            {
                if (document.RootElement.ValueKind != JsonValueKind.Object)
                    return TokenError.Malformed;
            }
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException)
        {
            return TokenError.Malformed;
        }

        try
        {
            using var document = JsonDocument.Parse(utf8, plain with { AllowDuplicateProperties = false });
            root = document.RootElement.Clone();
            return TokenError.None;
        }
        catch (JsonException)
        {
            return TokenError.DuplicateMember;
        }
    }

    internal static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
