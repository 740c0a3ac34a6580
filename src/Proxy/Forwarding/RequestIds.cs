using Weft.Balancing;
using Weft.Proxy.Http;

namespace Weft.Proxy.Forwarding;

/// <summary>The field `x-request-id`, by which a request is found in the logs of all that it passed: a random UUID (RFC 9562 section 5.4).</summary>
internal static class RequestIds
{
    private const int Length = 36;

    public static void Add(HeaderList headers, ref Rng rng)
    {
        Span<byte> text = stackalloc byte[Length];
        Write(text, ref rng);
        headers.Add("x-request-id"u8, text);
    }

    private static void Write(Span<byte> text, ref Rng rng)
    {
        var high = (rng.Next() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
        var low = (rng.Next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
        var digit = 0;
        for (var i = 0; i < Length; i++)
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
