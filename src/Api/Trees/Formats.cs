using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Weft.Api.Trees;

/// <summary>The string formats that Kubernetes checks. A format that is not listed says nothing, as in its validation.</summary>
public static class Formats
{
    public static bool IsValid(string format, string text) => format switch
    {
        "date-time" or "datetime" => text.Length >= 20 && text[10] is 'T' or 't'
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _) && HasOffset(text),
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "duration" => IsDuration(text),
        "ipv4" => IPAddress.TryParse(text, out var v4) && v4.AddressFamily == AddressFamily.InterNetwork && v4.ToString() == text,
        "ipv6" => text.Contains(':') && !text.Contains('%') && IPAddress.TryParse(text, out var v6) && v6.AddressFamily == AddressFamily.InterNetworkV6,
        "cidr" => IsCidr(text),
        "mac" => System.Net.NetworkInformation.PhysicalAddress.TryParse(text, out var mac) && mac.GetAddressBytes().Length is 6 or 8 or 20 && text.AsSpan().IndexOfAny(":-.") > 0,
        "uri" => Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out _) && !text.Contains(' ') && (text.StartsWith('/') || Uri.TryCreate(text, UriKind.Absolute, out _)),
        "email" => System.Net.Mail.MailAddress.TryCreate(text, out _),
        "hostname" => text.Length is > 0 and <= 255 && Uri.CheckHostName(text) == UriHostNameType.Dns,
        "uuid" or "uuid3" or "uuid4" or "uuid5" => IsUuid(format, text),
        "bsonobjectid" => text.Length == 24 && text.All(char.IsAsciiHexDigit),
        "isbn" => IsIsbn10(text) || IsIsbn13(text),
        "isbn10" => IsIsbn10(text),
        "isbn13" => IsIsbn13(text),
        "creditcard" => IsCardNumber(text),
        "ssn" => IsSocialSecurityNumber(text),
        "hexcolor" => (text.StartsWith('#') ? text[1..] : text) is { Length: 3 or 6 } digits && digits.All(char.IsAsciiHexDigit),
        "rgbcolor" => IsRgb(text),
        "byte" => Convert.TryFromBase64String(text, new byte[text.Length], out _),
        _ => true,
    };

    /// <summary>The names that <see cref="IsValid"/> knows, and those that say how a number or text is meant without a rule.</summary>
    public static bool IsKnown(string format) => Known.Contains(format);

    private static readonly System.Collections.Frozen.FrozenSet<string> Known = System.Collections.Frozen.FrozenSet.ToFrozenSet(
    [
        "date-time", "datetime", "date", "duration", "ipv4", "ipv6", "cidr", "mac", "uri", "email", "hostname", "uuid", "uuid3", "uuid4", "uuid5", "bsonobjectid",
        "isbn", "isbn10", "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor", "byte", "password", "int32", "int64", "float", "double", "int-or-string", "quantity",
    ]);

    // ISO 2108: the last of ten digits makes the weighted sum a multiple of 11, X being ten.
    private static bool IsIsbn10(string text)
    {
        var digits = Digits(text, allowX: true);
        if (digits.Length != 10 || digits[..9].Contains('X'))
            return false;
        var sum = 0;
        for (var i = 0; i < 10; i++)
            sum += (10 - i) * (digits[i] == 'X' ? 10 : digits[i] - '0');
        return sum % 11 == 0;
    }

    private static bool IsIsbn13(string text)
    {
        var digits = Digits(text, allowX: false);
        return digits.Length == 13 && digits.Select((digit, i) => (digit - '0') * (i % 2 == 0 ? 1 : 3)).Sum() % 10 == 0;
    }

    // ISO/IEC 7812: 12 to 19 digits, the last one by Luhn's sum.
    private static bool IsCardNumber(string text)
    {
        var digits = Digits(text, allowX: false);
        if (digits.Length is < 12 or > 19)
            return false;
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[^(i + 1)] - '0';
            sum += i % 2 == 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0);
        }
        return sum % 10 == 0;
    }

    // Nine digits, with spaces or dashes between the groups 3, 2 and 4.
    private static bool IsSocialSecurityNumber(string text) =>
        text.Length == 11 && text[3] is '-' or ' ' && text[6] is '-' or ' ' && (text[..3] + text[4..6] + text[7..]).All(char.IsAsciiDigit);

    private static bool IsRgb(string text)
    {
        if (!text.StartsWith("rgb(", StringComparison.Ordinal) || !text.EndsWith(')'))
            return false;
        var parts = text[4..^1].Split(',');
        return parts.Length == 3 && parts.All(part => byte.TryParse(part.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out _));
    }

    // Groups may be parted by dashes or spaces; anything else gives no digits at all.
    private static string Digits(string text, bool allowX)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        return digits.All(c => char.IsAsciiDigit(c) || allowX && c == 'X') ? digits : "";
    }

    private static bool HasOffset(string text) => text[^1] is 'Z' or 'z' || text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':';

    private static bool IsCidr(string text) =>
        text.IndexOf('/') is > 0 and var slash && IPAddress.TryParse(text.AsSpan(0, slash), out var address)
        && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var bits)
        && bits <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);

    private static bool IsUuid(string format, string text)
    {
        var plain = text.Contains('-') ? text : text.Length == 32 ? text : "";
        if (!Guid.TryParseExact(plain, plain.Contains('-') ? "D" : "N", out var id))
            return false;
        return format == "uuid" || id.Version == format[4] - '0';
    }

    // Go's: 1h30m, 250ms, -1.5s; 0 alone needs no unit.
    private static bool IsDuration(string text)
    {
        var rest = text.AsSpan();
        if (rest.Length > 0 && rest[0] is '-' or '+')
            rest = rest[1..];
        if (rest is "0")
            return true;
        if (rest.Length == 0)
            return false;
        while (rest.Length > 0)
        {
            var number = rest.IndexOfAnyExcept("0123456789.");
            if (number <= 0 || rest[..number].Count('.') > 1 || rest[..number] is ".")
                return false;
            rest = rest[number..];
            var unit = rest.StartsWith("ns") || rest.StartsWith("us") || rest.StartsWith("µs") || rest.StartsWith("ms") ? 2 : rest[0] is 'h' or 'm' or 's' ? 1 : 0;
            if (unit == 0)
                return false;
            rest = rest[unit..];
        }
        return true;
    }
}
