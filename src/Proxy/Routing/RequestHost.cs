namespace Weft.Proxy.Routing;

/// <summary>Host and port of one request in the form that routes and policies see. Belongs to an exchange.</summary>
internal sealed class RequestHost
{
    // A DNS name has 253 characters at most (RFC 1035 section 2.3.4), a port six with its colon; an IPv6 address is shorter.
    public const int MaxLength = 253 + 6;

    private readonly byte[] _bytes = new byte[MaxLength];
    private int _name;
    private int _length;

    /// <summary>In lower case, without port and trailing dot; an IPv6 address in its brackets.</summary>
    public ReadOnlySpan<byte> Name => _bytes.AsSpan(0, _name);

    /// <summary>Name, colon, port; without a port that the request did not give.</summary>
    public ReadOnlySpan<byte> Authority => _bytes.AsSpan(0, _length);

    /// <summary>As given; 0: none.</summary>
    public int Port { get; private set; }

    public void Clear() => (_name, _length, Port) = (0, 0, 0);

    /// <summary>False: this is no host, and the request must be refused. User information, escapes and characters outside of ASCII are not taken: IDN travels as `xn--`.</summary>
    public bool TrySet(ReadOnlySpan<byte> authority)
    {
        Clear();
        var name = authority;
        if (authority.StartsWith("["u8))
        {
            var end = authority.IndexOf((byte)']');
            if (end < 3 || !IsAddress(authority[1..end]))
                return false;
            name = authority[..(end + 1)];
            var rest = authority[(end + 1)..];
            if (!rest.IsEmpty && rest[0] != ':')
                return false;
            if (!rest.IsEmpty && !TryPort(rest[1..]))
                return false;
        }
        else
        {
            var colon = authority.IndexOf((byte)':');
            if (colon >= 0)
            {
                name = authority[..colon];
                if (!TryPort(authority[(colon + 1)..]))
                    return false;
            }

            // The root label: the same name (RFC 1034 section 3.1).
            if (name.EndsWith("."u8))
                name = name[..^1];
            if (!IsName(name))
                return false;
        }

        System.Text.Ascii.ToLower(name, _bytes, out _name);
        _length = _name;
        if (Port > 0)
        {
            _bytes[_length++] = (byte)':';
            System.Buffers.Text.Utf8Formatter.TryFormat(Port, _bytes.AsSpan(_length), out var digits);
            _length += digits;
        }

        return true;
    }

    private bool TryPort(ReadOnlySpan<byte> text)
    {
        var port = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9' || (port = (port * 10) + digit - '0') > 65_535)
                return false;
        }

        Port = port;
        // `host:` is allowed by RFC 3986 section 3.2.3, but port 0 is nobody's.
        return text.IsEmpty || port > 0;
    }

    private static bool IsName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.Length > 253 || name[0] == '.')
            return false;
        var previous = (byte)0;
        foreach (var c in name)
        {
            // Underscores are no host names, but names of services that are asked for all the same.
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'-' or (byte)'.' or (byte)'_') || (c == '.' && previous == '.'))
                return false;
            previous = c;
        }

        return true;
    }

    private static bool IsAddress(ReadOnlySpan<byte> text)
    {
        Span<char> chars = stackalloc char[text.Length <= 64 ? text.Length : 0];
        if (chars.IsEmpty || text.ContainsAnyExcept("0123456789abcdefABCDEF:."u8))
            return false;
        System.Text.Encoding.Latin1.GetChars(text, chars);
        return System.Net.IPAddress.TryParse(chars, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
    }
}
