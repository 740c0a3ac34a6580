using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Weft.Api.Cel.Library;

/// <param name="Port">Empty unless the text names one.</param>
internal sealed record CelUrl(string Text, string Scheme, string Authority, string Host, string Port, string Path, string Query);

/// <summary>Kubernetes' functions of URLs, addresses and ranges of addresses.</summary>
internal static class Networks
{
    public static IEnumerable<Overload> All =>
    [
        Overload.Of("url(string):url", (_, a) => Url((string)a[0]!) is { } url ? url : new CelFailure($"URL parse error during conversion from string: {a[0]}")),
        Overload.Of("isURL(string):bool", (_, a) => Url((string)a[0]!) is not null),
        Overload.Of("url.getScheme():string", (_, a) => ((CelUrl)a[0]!).Scheme),
        Overload.Of("url.getHost():string", (_, a) => ((CelUrl)a[0]!).Authority),
        Overload.Of("url.getHostname():string", (_, a) => ((CelUrl)a[0]!).Host),
        Overload.Of("url.getPort():string", (_, a) => ((CelUrl)a[0]!).Port),
        Overload.Of("url.getEscapedPath():string", (_, a) => ((CelUrl)a[0]!).Path),
        Overload.Of("url.getQuery():map<string,list<string>>", (run, a) => Query(run, ((CelUrl)a[0]!).Query)),

        Overload.Of("@ip(string):ip", (_, a) => Address((string)a[0]!) is { } address ? new CelIp(address) : new CelFailure($"IP Address '{a[0]}' parse error during conversion from string")),
        Overload.Of("@isIP(string):bool", (_, a) => Address((string)a[0]!) is not null),
        Overload.Of("@ip.isCanonical(string):bool", (_, a) => Address((string)a[0]!) is { } address ? address.ToString() == (string)a[0]! : new CelFailure($"IP Address '{a[0]}' parse error during conversion from string")),
        Overload.Of("ip.family():int", (_, a) => Ip(a).AddressFamily == AddressFamily.InterNetwork ? 4L : 6L),
        Overload.Of("ip.isUnspecified():bool", (_, a) => Ip(a).Equals(IPAddress.Any) || Ip(a).Equals(IPAddress.IPv6Any)),
        Overload.Of("ip.isLoopback():bool", (_, a) => IPAddress.IsLoopback(Ip(a))),
        Overload.Of("ip.isLinkLocalMulticast():bool", (_, a) => IsLinkLocalMulticast(Ip(a))),
        Overload.Of("ip.isLinkLocalUnicast():bool", (_, a) => IsLinkLocalUnicast(Ip(a))),
        Overload.Of("ip.isGlobalUnicast():bool", (_, a) => IsGlobalUnicast(Ip(a))),

        Overload.Of("@cidr(string):cidr", (_, a) => Range((string)a[0]!) is { } range ? range : new CelFailure($"CIDR '{a[0]}' parse error during conversion from string")),
        Overload.Of("@isCIDR(string):bool", (_, a) => Range((string)a[0]!) is not null),
        Overload.Of("cidr.containsIP(ip):bool", (_, a) => Contains((CelCidr)a[0]!, ((CelIp)a[1]!).Address)),
        Overload.Of("cidr.containsIP(string):bool", (_, a) => Address((string)a[1]!) is { } address ? Contains((CelCidr)a[0]!, address) : new CelFailure($"IP Address '{a[1]}' parse error during conversion from string")),
        Overload.Of("cidr.containsCIDR(cidr):bool", (_, a) => Contains((CelCidr)a[0]!, (CelCidr)a[1]!)),
        Overload.Of("cidr.containsCIDR(string):bool", (_, a) => Range((string)a[1]!) is { } range ? Contains((CelCidr)a[0]!, range) : new CelFailure($"CIDR '{a[1]}' parse error during conversion from string")),
        Overload.Of("cidr.ip():ip", (_, a) => new CelIp(((CelCidr)a[0]!).Address)),
        Overload.Of("cidr.masked():cidr", (_, a) => Masked((CelCidr)a[0]!)),
        Overload.Of("cidr.prefixLength():int", (_, a) => (long)((CelCidr)a[0]!).Bits),
    ];

    private static IPAddress Ip(object?[] values) => ((CelIp)values[0]!).Address;

    // Go's netip: no zones, no IPv4 inside IPv6, four decimal parts without leading zeros.
    private static IPAddress? Address(string text) =>
        !text.Contains('%') && !text.Contains('[') && IPAddress.TryParse(text, out var address)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 ? !address.IsIPv4MappedToIPv6 : address.ToString() == text) ? address : null;

    private static CelCidr? Range(string text)
    {
        var slash = text.IndexOf('/');
        if (slash < 0 || Address(text[..slash]) is not { } address)
            return null;
        var digits = text.AsSpan(slash + 1);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits <= address.GetAddressBytes().Length * 8 && (digits.Length == 1 || digits[0] != '0')
            ? new CelCidr(address, bits) : null;
    }

    private static CelCidr Masked(CelCidr range) => range with { Address = Masked(range.Address, range.Bits) };

    private static IPAddress Masked(IPAddress address, int bits)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] &= (byte)(bits >= (i + 1) * 8 ? 0xff : bits <= i * 8 ? 0 : 0xff << (8 - bits % 8));
        return new IPAddress(bytes);
    }

    private static bool Contains(CelCidr range, IPAddress address) =>
        range.Address.AddressFamily == address.AddressFamily && Masked(range.Address, range.Bits).Equals(Masked(address, range.Bits));

    private static bool Contains(CelCidr range, CelCidr inner) => inner.Bits >= range.Bits && Contains(range, inner.Address);

    private static bool IsLinkLocalMulticast(IPAddress address) => address.GetAddressBytes() switch
    {
        [224, 0, 0, _] => true,
        { Length: 16 } bytes => bytes[0] == 0xff && (bytes[1] & 0x0f) == 2,
        _ => false,
    };

    private static bool IsLinkLocalUnicast(IPAddress address) => address.GetAddressBytes() is [169, 254, _, _] || address.IsIPv6LinkLocal;

    private static bool IsGlobalUnicast(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        var isMulticast = bytes.Length == 4 ? bytes[0] is >= 224 and < 240 : bytes[0] == 0xff;
        return !isMulticast && !IPAddress.IsLoopback(address) && !IsLinkLocalUnicast(address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) && !address.Equals(IPAddress.Broadcast);
    }

    // An absolute URI or an absolute path, as Go's ParseRequestURI takes them.
    private static CelUrl? Url(string text)
    {
        if (text.Length == 0 || text.Any(c => char.IsControl(c) || c == ' '))
            return null;
        var (scheme, rest) = ("", text);
        var colon = text.IndexOf(':');
        if (text[0] != '/')
        {
            if (colon <= 0 || !char.IsAsciiLetter(text[0]) || !text[..colon].All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.'))
                return null;
            (scheme, rest) = (text[..colon].ToLowerInvariant(), text[(colon + 1)..]);
        }
        var query = "";
        if (rest.IndexOf('?') is >= 0 and var mark)
            (query, rest) = (rest[(mark + 1)..], rest[..mark]);
        var (authority, path) = ("", rest);
        if (scheme.Length > 0 && rest.StartsWith("//", StringComparison.Ordinal))
        {
            var end = rest.IndexOf('/', 2) is >= 0 and var slash ? slash : rest.Length;
            (authority, path) = (rest[2..end], rest[end..]);
        }
        authority = authority[(authority.LastIndexOf('@') + 1)..];
        var (host, port) = (authority, "");
        var bracket = authority.LastIndexOf(']');
        if (authority.LastIndexOf(':') is >= 0 and var last && last > bracket)
            (host, port) = (authority[..last], authority[(last + 1)..]);
        if (!port.All(char.IsAsciiDigit) || bracket < 0 && host.Contains(':'))
            return null;
        return new CelUrl(text, scheme, authority, host.Trim('[', ']'), port, path, query);
    }

    private static CelMap Query(CelRun run, string query)
    {
        run.ChargeText(query);
        // A pair becomes a text, a list and an entry.
        run.Charge(query.AsSpan().Count('&') + 1);
        var values = new Dictionary<string, List<object?>>();
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            var (name, value) = equals < 0 ? (pair, "") : (pair[..equals], pair[(equals + 1)..]);
            var key = WebUtility.UrlDecode(name);
            if (!values.TryGetValue(key, out var list))
                values[key] = list = [];
            list.Add(WebUtility.UrlDecode(value));
        }
        return CelMap.Of([.. values.Select(entry => KeyValuePair.Create<object, object?>(entry.Key, CelList.Of(entry.Value)))]);
    }
}
