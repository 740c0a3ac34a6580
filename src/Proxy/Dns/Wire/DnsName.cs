using System.Text;

namespace Weft.Proxy.Dns.Wire;

/// <summary>
/// Names in messages. As text they are lower case, without the last dot. An octet that could be mistaken for another character of the text (a dot within a
/// label, a blank, an octet beyond ASCII) becomes a character of its own above 0x100, so that two different names never have one text.
/// </summary>
internal static class DnsName
{
    /// <summary>Reads a name without compression, as a question has it.</summary>
    /// <param name="text">At least <see cref="DnsLimits.MaxName"/> characters.</param>
    /// <param name="wireLength">Octets in the message, with the last zero.</param>
    public static bool TryReadPlain(ReadOnlySpan<byte> message, int offset, Span<char> text, out int textLength, out int wireLength)
    {
        (textLength, wireLength) = (0, 0);
        var at = offset;
        while (at < message.Length)
        {
            int length = message[at++];
            if (length == 0)
            {
                wireLength = at - offset;
                return wireLength <= DnsLimits.MaxName;
            }

            // Longer is a compression pointer (there is nothing to point to yet) or a type of label that nobody uses (RFC 6891 section 5).
            if (length > DnsLimits.MaxLabel || at + length > message.Length || at + length - offset >= DnsLimits.MaxName)
                return false;
            if (textLength > 0)
                text[textLength++] = '.';
            for (var i = 0; i < length; i++)
                text[textLength++] = Lower(message[at++]);
        }

        return false;
    }

    /// <summary>Reads a name that may be compressed. <paramref name="end"/> is where it ends in place.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, int offset, Span<char> text, out int textLength, out int end)
    {
        (textLength, end) = (0, -1);
        var at = offset;
        var octets = 1;
        var lowest = offset; // a pointer must lead to before everything read so far: then no chain of them has a loop
        while (at < message.Length)
        {
            int length = message[at++];
            if (length == 0)
            {
                end = end < 0 ? at : end;
                return true;
            }

            if (length >= 0xC0)
            {
                if (at >= message.Length)
                    return false;
                var target = ((length & 0x3F) << 8) | message[at++];
                end = end < 0 ? at : end;
                if (target >= lowest)
                    return false;
                lowest = at = target;
                continue;
            }

            octets += length + 1;
            if (length > DnsLimits.MaxLabel || at + length > message.Length || octets > DnsLimits.MaxName)
                return false;
            if (textLength > 0)
                text[textLength++] = '.';
            for (var i = 0; i < length; i++)
                text[textLength++] = Lower(message[at++]);
        }

        return false;
    }

    /// <summary>Octets of a name given as text, uncompressed; -1 when it does not fit or is no name.</summary>
    public static int Write(ReadOnlySpan<char> text, Span<byte> to)
    {
        text = text.TrimEnd('.');
        if (text.IsEmpty)
        {
            if (to.IsEmpty)
                return -1;
            to[0] = 0;
            return 1;
        }

        var at = 0;
        foreach (var range in text.Split('.'))
        {
            var label = text[range];
            if (label.Length is 0 or > DnsLimits.MaxLabel || at + 2 + label.Length > Math.Min(to.Length, DnsLimits.MaxName))
                return -1;
            to[at++] = (byte)label.Length;
            foreach (var c in label)
                to[at++] = (byte)c; // what was lifted above 0x100 falls back to its octet
        }

        to[at++] = 0;
        return at;
    }

    public static byte[] ToWire(string text)
    {
        Span<byte> octets = stackalloc byte[DnsLimits.MaxName];
        var length = Write(text, octets);
        return length > 0 ? octets[..length].ToArray() : throw new FormatException($"'{text}' is no DNS name");
    }

    public static bool IsName(string text)
    {
        Span<byte> octets = stackalloc byte[DnsLimits.MaxName];
        return text.Length <= DnsLimits.MaxName && Ascii.IsValid(text) && Write(text, octets) > 0;
    }

    private static char Lower(byte octet) => octet switch
    {
        >= (byte)'A' and <= (byte)'Z' => (char)(octet | 0x20),
        (byte)'.' or <= (byte)' ' or >= 0x7F => (char)(0x100 + octet),
        _ => (char)octet,
    };
}
