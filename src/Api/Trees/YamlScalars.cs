using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Api.Trees;

/// <summary>
/// What a plain YAML scalar means to kubectl: its YAML library follows YAML 1.1 with the booleans yes/no/on/off/y/n, 0x, 0b, 0o and leading-zero octal integers,
/// underscores in numbers, no base 60, and dates left as text.
/// </summary>
internal static class YamlScalars
{
    /// <summary>The value of a plain scalar. Infinity and not-a-number have no JSON form: null result with <paramref name="problem"/> set.</summary>
    public static JsonNode? Resolve(string text, out string? problem)
    {
        problem = null;
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON":
                return JsonValue.Create(true);
            case "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF":
                return JsonValue.Create(false);
            case ".nan" or ".NaN" or ".NAN" or ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF":
                problem = $"the number {text} cannot be written as JSON";
                return null;
        }
        return Number(text) is { } json ? Raw(json) : JsonValue.Create(text);
    }

    /// <summary>True when a plain scalar of this text would not be read back as this string.</summary>
    public static bool MeansSomethingElse(string text) =>
        Resolve(text, out var problem) is not { } value || problem is not null || value.GetValueKind() != JsonValueKind.String
        || text is "=" or "<<" || LooksLikeDate(text);

    /// <summary>JSON text of a number, or null when the text is none.</summary>
    private static string? Number(string text)
    {
        if (!char.IsAsciiDigit(text[0]) && text[0] is not ('+' or '-' or '.'))
            return null;

        var plain = text[0] == '.' ? text : text.Replace("_", "", StringComparison.Ordinal);
        if (Integer(plain) is { } integer)
            return integer.ToString(CultureInfo.InvariantCulture);
        return Float(plain);
    }

    private static BigInteger? Integer(string text)
    {
        var negative = text.StartsWith('-');
        var digits = text.AsSpan(negative || text.StartsWith('+') ? 1 : 0);
        if (digits.Length == 0 || digits.Length > 400)
            return null;

        var radix = 10;
        if (digits.Length > 1 && digits[0] == '0')
        {
            (radix, var skip) = digits[1] switch { 'x' or 'X' => (16, 2), 'b' or 'B' => (2, 2), 'o' or 'O' => (8, 2), _ => (8, 1) };
            digits = digits[skip..];
        }
        var value = BigInteger.Zero;
        foreach (var c in digits)
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 16;
            if (digit >= radix)
                return null;
            value = value * radix + digit;
        }
        if (digits.Length == 0)
            return null;
        return negative ? -value : value;
    }

    private static string? Float(string text)
    {
        // ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$
        var i = text[0] is '+' or '-' ? 1 : 0;
        var whole = Digits(text, ref i);
        var part = 0;
        if (i < text.Length && text[i] == '.')
        {
            i++;
            part = Digits(text, ref i);
        }
        if (whole + part == 0)
            return null;
        if (i < text.Length && text[i] is 'e' or 'E')
        {
            i++;
            if (i < text.Length && text[i] is '+' or '-')
                i++;
            if (Digits(text, ref i) == 0)
                return null;
        }
        if (i != text.Length)
            return null;

        var value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : null;
    }

    private static int Digits(string text, ref int i)
    {
        var start = i;
        while (i < text.Length && char.IsAsciiDigit(text[i]))
            i++;
        return i - start;
    }

    // A date would come back as text from kubectl's library, but other YAML readers make a date of it: quoted on the way out.
    private static bool LooksLikeDate(string text) =>
        text.Length >= 8 && text[4] == '-' && text.AsSpan(0, 4).IndexOfAnyExceptInRange('0', '9') < 0;

    /// <summary>A number node that keeps its text.</summary>
    internal static JsonNode Raw(string json)
    {
        var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(json));
        return JsonValue.Create(JsonElement.ParseValue(ref reader))!;
    }
}
