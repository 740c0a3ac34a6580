using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Weft.Api.Trees;

/// <summary>The string formats that Kubernetes checks. A format that is not listed says nothing, as in its validation.</summary>
internal static class Formats
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
        "byte" => Convert.TryFromBase64String(text, new byte[text.Length], out _),
        _ => true,
    };

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
