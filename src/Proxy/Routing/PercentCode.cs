using System.Text;

namespace Weft.Proxy.Routing;

/// <summary>RFC 3986 section 2.1.</summary>
internal static class PercentCode
{
    /// <summary>What is no escape stays as it is.</summary>
    /// <param name="buffer">At least as long as the text.</param>
    public static ReadOnlySpan<byte> Decode(ReadOnlySpan<byte> text, Span<byte> buffer)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && TryHex(text, i + 1, out var value))
            {
                buffer[length++] = value;
                i += 2;
            }
            else
            {
                buffer[length++] = text[i];
            }
        }

        return buffer[..length];
    }

    /// <summary>All but unreserved characters.</summary>
    public static string Encode(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var c in Encoding.UTF8.GetBytes(text))
            _ = IsUnreserved(c) ? result.Append((char)c) : result.Append('%').Append(c.ToString("X2"));
        return result.ToString();
    }

    public static bool TryHex(ReadOnlySpan<byte> text, int at, out byte value)
    {
        value = 0;
        if (at + 2 > text.Length || !char.IsAsciiHexDigit((char)text[at]) || !char.IsAsciiHexDigit((char)text[at + 1]))
            return false;
        value = (byte)((Digit(text[at]) << 4) | Digit(text[at + 1]));
        return true;
    }

    public static bool IsUnreserved(byte c) => char.IsAsciiLetterOrDigit((char)c) || c is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~';

    private static int Digit(byte c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
