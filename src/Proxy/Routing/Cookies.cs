using Weft.Proxy.Http;

namespace Weft.Proxy.Routing;

/// <summary>RFC 6265 section 4.2; HTTP/2 may cut the field into several (RFC 9113 section 8.2.3).</summary>
internal static class Cookies
{
    public static bool TryGet(HeaderList headers, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        for (var i = headers.IndexOf(KnownHeader.Cookie); i >= 0; i = headers.IndexOf(KnownHeader.Cookie, i + 1))
        {
            var rest = headers.Value(i);
            while (!rest.IsEmpty)
            {
                var end = rest.IndexOf((byte)';');
                var pair = (end < 0 ? rest : rest[..end]).Trim((byte)' ');
                rest = end < 0 ? default : rest[(end + 1)..];
                if (pair.Length > name.Length && pair[name.Length] == '=' && pair.StartsWith(name))
                {
                    value = pair[(name.Length + 1)..];
                    return true;
                }
            }
        }

        value = default;
        return false;
    }
}
