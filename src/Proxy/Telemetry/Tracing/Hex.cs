using System.Numerics;

namespace Weft.Proxy.Telemetry.Tracing;

/// <summary>Numbers in hexadecimal digits, lower case.</summary>
internal static class Hex
{
    public static bool TryRead<T>(ReadOnlySpan<byte> digits, bool upperCase, out T value) where T : IBinaryInteger<T>
    {
        value = T.Zero;
        foreach (var digit in digits)
        {
            var four = digit switch
            {
                >= (byte)'0' and <= (byte)'9' => digit - '0',
                >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
                >= (byte)'A' and <= (byte)'F' when upperCase => digit - 'A' + 10,
                _ => -1,
            };
            if (four < 0)
                return false;
            value = (value << 4) | T.CreateTruncating(four);
        }

        return digits.Length > 0;
    }

    public static void Write<T>(T value, Span<byte> to) where T : IBinaryInteger<T>
    {
        for (var i = to.Length - 1; i >= 0; i--)
        {
            to[i] = "0123456789abcdef"u8[int.CreateTruncating(value & T.CreateTruncating(15))];
            value >>= 4;
        }
    }
}
