using System.Buffers;
using System.Text;

namespace Weft.Proxy.Http;

/// <summary>Which bytes may stand where (RFC 9110 section 5, RFC 3986 section 3).</summary>
internal static class HttpCharacters
{
    private const string Alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>tchar: methods and field names.</summary>
    public static readonly SearchValues<byte> Token = Set("!#$%&'*+-.^_`|~" + Alphanumeric);

    /// <summary>Controls but the tab: in a field value they would end lines or strings of somebody behind.</summary>
    public static readonly SearchValues<byte> Forbidden = SearchValues.Create([.. Enumerable.Range(0, 32).Where(c => c != '\t').Select(c => (byte)c), 0x7F]);

    /// <summary>Visible ASCII without `#`: a fragment is never sent, and parsers disagree on where it ends (CVE-2021-32779).</summary>
    public static readonly SearchValues<byte> Target = SearchValues.Create([.. Enumerable.Range(0x21, 0x5E).Where(c => c != '#').Select(c => (byte)c)]);

    /// <summary>reg-name and IPv4: no user information, no percent-encoding (nobody's DNS has it, and parsers disagree).</summary>
    public static readonly SearchValues<byte> Host = Set("-._~!$&'()*+,;=" + Alphanumeric);

    public static readonly SearchValues<byte> Ipv6 = Set("0123456789abcdefABCDEF:.");

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(Token);

    /// <summary>host [":" port], never empty.</summary>
    public static bool IsAuthority(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> rest;
        if (text.StartsWith("["u8))
        {
            var end = text.IndexOf((byte)']');
            if (end < 3 || text[1..end].ContainsAnyExcept(Ipv6) || text[1..end].Count((byte)':') < 2)
                return false;
            rest = text[(end + 1)..];
        }
        else
        {
            var end = text.IndexOf((byte)':');
            var host = end < 0 ? text : text[..end];
            if (host.IsEmpty || host.ContainsAnyExcept(Host))
                return false;
            rest = end < 0 ? default : text[end..];
        }

        return rest.IsEmpty || (rest[0] == ':' && IsPort(rest[1..]));
    }

    private static bool IsPort(ReadOnlySpan<byte> text)
    {
        var port = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9' || (port = (port * 10) + digit - '0') > 65_535)
                return false;
        }

        return !text.IsEmpty;
    }

    private static SearchValues<byte> Set(string characters) => SearchValues.Create(Encoding.ASCII.GetBytes(characters));
}
