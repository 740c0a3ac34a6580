using Weft.Balancing;
using Weft.Proxy.Http;

namespace Weft.Proxy.Forwarding;

/// <summary>What a request tells the endpoint of where it came from, under the names that Envoy's users know.</summary>
internal static class ForwardedHeaders
{
    private const int RequestIdLength = 36;

    public static void Apply(RequestHead head, ReadOnlySpan<byte> peer, ref Rng rng)
    {
        var headers = head.Headers;
        var at = headers.IndexOf(KnownHeader.XForwardedFor);
        if (at < 0)
        {
            headers.Add("x-forwarded-for"u8, peer);
        }
        else
        {
            // Several fields are one list (RFC 9110 section 5.3): the last is what is appended to.
            for (var next = headers.IndexOf(KnownHeader.XForwardedFor, at + 1); next >= 0; next = headers.IndexOf(KnownHeader.XForwardedFor, at + 1))
                at = next;
            var before = headers.Value(at);
            Span<byte> list = before.Length + peer.Length + 2 <= 512 ? stackalloc byte[512] : new byte[before.Length + peer.Length + 2];
            before.CopyTo(list);
            ", "u8.CopyTo(list[before.Length..]);
            peer.CopyTo(list[(before.Length + 2)..]);
            headers.SetValue(at, list[..(before.Length + 2 + peer.Length)]);
        }

        if (headers.Has(KnownHeader.XForwardedProto))
            headers.SetValue(headers.IndexOf(KnownHeader.XForwardedProto), head.Scheme);
        else
            headers.Add("x-forwarded-proto"u8, head.Scheme);
        if (headers.Has(KnownHeader.XRequestId))
            return;
        Span<byte> id = stackalloc byte[RequestIdLength];
        RequestId(id, ref rng);
        headers.Add("x-request-id"u8, id);
    }

    /// <summary>A random UUID (RFC 9562 section 5.4).</summary>
    private static void RequestId(Span<byte> text, ref Rng rng)
    {
        var high = (rng.Next() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
        var low = (rng.Next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
        var digit = 0;
        for (var i = 0; i < RequestIdLength; i++)
        {
            if (i is 8 or 13 or 18 or 23)
            {
                text[i] = (byte)'-';
                continue;
            }

            var nibble = (int)((digit < 16 ? high >> (60 - (digit * 4)) : low >> (60 - ((digit - 16) * 4))) & 15);
            text[i] = "0123456789abcdef"u8[nibble];
            digit++;
        }
    }
}
