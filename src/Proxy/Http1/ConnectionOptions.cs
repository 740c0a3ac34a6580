using Weft.Proxy.Http;

namespace Weft.Proxy.Http1;

/// <summary>
/// The fields that Connection names belong to one hop and are not passed on (RFC 9110 section 7.6.1). Those that carry identity, addresses or the request's
/// meaning are: or a client could have its own X-Forwarded-For, or an authorization that a filter set, taken away (CVE-2022-31813).
/// </summary>
internal static class ConnectionOptions
{
    public static void RemoveNamed(HeaderList headers)
    {
        Span<byte> lower = stackalloc byte[64];
        for (var at = headers.IndexOf(KnownHeader.Connection); at >= 0; at = headers.IndexOf(KnownHeader.Connection, at + 1))
        {
            var named = 0;
            while (TryOption(headers.Value(at), named++, out var option))
            {
                if (option.Length > lower.Length)
                    continue; // none of its kind is a hop's own
                Ascii.ToLower(option, lower);
                var name = lower[..option.Length];
                if (IsHops(name))
                    at -= RemoveBefore(headers, name, at);
            }
        }
    }

    private static bool TryOption(ReadOnlySpan<byte> value, int number, out ReadOnlySpan<byte> option)
    {
        foreach (var range in value.Split((byte)','))
        {
            if (number-- == 0)
            {
                option = FieldLine.Trim(value[range]);
                return true;
            }
        }

        option = default;
        return false;
    }

    private static int RemoveBefore(HeaderList headers, ReadOnlySpan<byte> name, int at)
    {
        var before = 0;
        for (var i = headers.IndexOf(name); i >= 0; i = headers.IndexOf(name, i))
        {
            headers.RemoveAt(i);
            if (i < at)
            {
                before++;
                at--;
            }
        }

        return before;
    }

    // A known name is never the hop's alone: what is, the codec has taken out already.
    private static bool IsHops(ReadOnlySpan<byte> name) =>
        !name.IsEmpty && KnownHeaders.Find(name) == KnownHeader.None && !name.StartsWith("x-"u8) && !name.StartsWith("content-"u8) && !name.StartsWith("sec-"u8)
        && !name.StartsWith("grpc-"u8) && !name.StartsWith("if-"u8) && !name.StartsWith("access-control-"u8);
}
