using System.Numerics;

namespace Weft.Proxy.Filters.Authentication.Passwords;

/// <summary>The fraction of pi in words of 32 bits: what Blowfish's tables begin as (Schneier 1993: "nothing up my sleeve"). Computed once, in some ten milliseconds, in place of four kilobytes of constants.</summary>
internal static class PiDigits
{
    // Lost to rounding: one bit at most for each of the 10,000 terms of the series.
    private const int Guard = 64;

    public static uint[] Words(int count)
    {
        var bits = (count * 32) + Guard;
        // Machin: pi = 16 arctan(1/5) - 4 arctan(1/239).
        var pi = (16 * Arctangent(5, bits)) - (4 * Arctangent(239, bits));
        var fraction = (pi - (new BigInteger(3) << bits)) >> Guard;
        var words = new uint[count];
        var bytes = fraction.ToByteArray(isUnsigned: true, isBigEndian: false);
        Array.Resize(ref bytes, count * 4);
        for (var i = 0; i < count; i++)
            words[count - 1 - i] = BitConverter.ToUInt32(bytes, i * 4);
        return words;
    }

    // 1/x - 1/(3 x^3) + 1/(5 x^5) - ..., times 2^bits.
    private static BigInteger Arctangent(int x, int bits)
    {
        var power = (BigInteger.One << bits) / x;
        var sum = power;
        for (var n = 3; !power.IsZero; n += 2)
        {
            power /= x * x;
            sum += n % 4 == 3 ? -(power / n) : power / n;
        }

        return sum;
    }
}
