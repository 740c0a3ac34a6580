using System.Text.Json;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>Claims as texts, for rules and for fields of the request.</summary>
internal static class ClaimText
{
    /// <param name="path">A claim of the top, or nested with dots; a claim with dots in its name comes first.</param>
    public static IReadOnlyList<string> Values(JsonElement claims, string path)
        => claims.TryGetProperty(path, out var found) ? Texts(found) : Values(claims, path.Split('.'));

    /// <param name="path">From the top down.</param>
    public static IReadOnlyList<string> Values(JsonElement claims, IReadOnlyList<string> path)
    {
        var found = claims;
        foreach (var name in path)
        {
            if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(name, out found))
                return [];
        }

        return Texts(found);
    }

    /// <summary>As <see cref="Values(JsonElement, IReadOnlyList{string})"/>; one text of a claim of the top that is a list of words is these words (RFC 8693 section 4.2).</summary>
    /// <param name="lists">Names of such claims, beside those that always are.</param>
    public static IReadOnlyList<string> Words(JsonElement claims, IReadOnlyList<string> path, ValueList<string> lists)
    {
        var values = Values(claims, path);
        return path is [var name] && values is [var text] && (name is "scope" or "permission" || lists.Contains(name)) ? text.Split(' ', StringSplitOptions.RemoveEmptyEntries) : values;
    }

    private static IReadOnlyList<string> Texts(JsonElement found)
        => found.ValueKind == JsonValueKind.Array
            ? [.. found.EnumerateArray().Select(Scalar).OfType<string>()]
            : Scalar(found) is { } text ? [text] : [];

    /// <summary>As the value of a field, a list with commas; null: there is none, or it has what a field must not have (RFC 9110 section 5.5): nothing can be smuggled in.</summary>
    public static string? FieldValue(JsonElement claims, string path)
    {
        var values = Values(claims, path);
        var text = string.Join(',', values);
        return values.Count == 0 || text.AsSpan().ContainsAnyExceptInRange(' ', '~') ? null : text;
    }

    private static string? Scalar(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };
}
