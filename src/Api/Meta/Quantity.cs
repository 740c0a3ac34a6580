using System.Globalization;
using System.Numerics;

namespace Weft.Api;

/// <summary>How a quantity is written: `1500m`, `2Ki` or `15e2`.</summary>
public enum QuantityFormat { DecimalSI, BinarySI, DecimalExponent }

/// <summary>
/// An exact amount of a resource. Held as a whole number of nano units, the finest step that Kubernetes knows; finer input is rounded up (away from
/// zero), as Kubernetes does. Equal amounts are equal, however written; <see cref="ToString"/> gives the canonical form.
/// </summary>
public readonly record struct Quantity : IComparable<Quantity>
{
    private const long NanoPerUnit = 1_000_000_000;

    // Kubernetes caps at 2^63-1 units; sums of many such amounts still fit in 128 bits of nano units.
    private static readonly Int128 Cap = (Int128)long.MaxValue * NanoPerUnit;
    private const int MaxTextLength = 64;

    private readonly Int128 _nano;

    private Quantity(Int128 nano, QuantityFormat format) => (_nano, Format) = (nano, format);

    public static Quantity Zero => default;
    public QuantityFormat Format { get; }
    public bool IsZero => _nano == 0;
    public int Sign => Int128.Sign(_nano);

    public static Quantity FromUnits(long units, QuantityFormat format = QuantityFormat.DecimalSI) => new((Int128)units * NanoPerUnit, format);
    public static Quantity FromMilli(long milli, QuantityFormat format = QuantityFormat.DecimalSI) => new((Int128)milli * 1_000_000, format);

    /// <summary>Whole units, rounded up (away from zero).</summary>
    public long Units => (long)DivideUp(_nano, NanoPerUnit);

    /// <summary>Thousandths, rounded up; capped at what a long holds.</summary>
    public long Milli => (long)Int128.Clamp(DivideUp(_nano, 1_000_000), long.MinValue, long.MaxValue);

    public bool IsWhole => _nano % NanoPerUnit == 0;

    public static Quantity operator +(Quantity left, Quantity right) => new(left._nano + right._nano, left.IsZero ? right.Format : left.Format);
    public static Quantity operator -(Quantity left, Quantity right) => new(left._nano - right._nano, left.IsZero ? right.Format : left.Format);
    public static Quantity operator -(Quantity value) => new(-value._nano, value.Format);
    public static Quantity operator *(Quantity left, int right) => new(left._nano * right, left.Format);
    public static bool operator <(Quantity left, Quantity right) => left._nano < right._nano;
    public static bool operator >(Quantity left, Quantity right) => left._nano > right._nano;
    public static bool operator <=(Quantity left, Quantity right) => left._nano <= right._nano;
    public static bool operator >=(Quantity left, Quantity right) => left._nano >= right._nano;
    public int CompareTo(Quantity other) => _nano.CompareTo(other._nano);
    public bool Equals(Quantity other) => _nano == other._nano;
    public override int GetHashCode() => _nano.GetHashCode();

    public static Quantity Parse(string text) =>
        TryParse(text, out var value) ? value : throw new FormatException($"'{text}' is not a quantity: write a number with an optional suffix such as m, k, Mi or e3");

    public static bool TryParse(string? text, out Quantity value)
    {
        value = default;
        if (text is null || text.Length is 0 or > MaxTextLength)
            return false;

        var rest = text.AsSpan();
        var negative = rest[0] == '-';
        if (rest[0] is '+' or '-')
            rest = rest[1..];

        var digits = BigInteger.Zero;
        var fraction = 0;
        var seen = 0;
        var point = false;
        var at = 0;
        for (; at < rest.Length; at++)
        {
            if (rest[at] == '.' && !point)
                point = true;
            else if (char.IsAsciiDigit(rest[at]))
            {
                digits = digits * 10 + (rest[at] - '0');
                seen++;
                if (point)
                    fraction++;
            }
            else
                break;
        }

        if (seen == 0 || !TrySuffix(rest[at..], out var format, out var binary, out var exponent))
            return false;

        // nano = digits * 10^(9 + exponent - fraction) * 2^binary
        var power = 9 + exponent - fraction;
        var scaled = digits << binary;
        Int128 nano;
        if (power >= 0)
            scaled = scaled.IsZero ? scaled : power > 64 ? (BigInteger)Cap : scaled * BigInteger.Pow(10, power);
        else
        {
            // More places than any digits can have: what is left is a fraction of a nano.
            var (quotient, remainder) = BigInteger.DivRem(scaled, BigInteger.Pow(10, Math.Min(-power, 128)));
            scaled = remainder.IsZero ? quotient : quotient + 1;
        }

        nano = scaled > (BigInteger)Cap ? Cap : (Int128)scaled;
        value = new(negative ? -nano : nano, format);
        return true;
    }

    private static bool TrySuffix(ReadOnlySpan<char> suffix, out QuantityFormat format, out int binary, out int exponent)
    {
        (format, binary, exponent) = (QuantityFormat.DecimalSI, 0, 0);
        switch (suffix)
        {
            case "": return true;
            case "n": exponent = -9; return true;
            case "u": exponent = -6; return true;
            case "m": exponent = -3; return true;
            case "k": exponent = 3; return true;
            case "M": exponent = 6; return true;
            case "G": exponent = 9; return true;
            case "T": exponent = 12; return true;
            case "P": exponent = 15; return true;
            case "E": exponent = 18; return true;
        }

        if (suffix.Length == 2 && suffix[1] == 'i' && "KMGTPE".IndexOf(suffix[0]) is var step and >= 0)
        {
            (format, binary) = (QuantityFormat.BinarySI, 10 * (step + 1));
            return true;
        }

        if (suffix[0] is 'e' or 'E' && suffix.Length <= 5
            && int.TryParse(suffix[1..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
        {
            format = QuantityFormat.DecimalExponent;
            return true;
        }

        return false;
    }

    /// <summary>The canonical form: no fraction, the largest suffix that keeps it exact. Binary suffixes only for whole amounts of 1024 and more.</summary>
    public override string ToString()
    {
        if (_nano == 0)
            return "0";
        var magnitude = Int128.Abs(_nano);
        var sign = _nano < 0 ? "-" : "";

        if (Format == QuantityFormat.BinarySI && magnitude % NanoPerUnit == 0 && magnitude / NanoPerUnit >= 1024)
        {
            var units = magnitude / NanoPerUnit;
            var step = 0;
            while (step < 6 && units % 1024 == 0)
            {
                units /= 1024;
                step++;
            }
            return sign + units.ToString(CultureInfo.InvariantCulture) + (step == 0 ? "" : "KMGTPE"[step - 1] + "i");
        }

        var exponent = -9;
        while (exponent < 18 && magnitude % 1000 == 0)
        {
            magnitude /= 1000;
            exponent += 3;
        }

        var number = sign + magnitude.ToString(CultureInfo.InvariantCulture);
        if (Format == QuantityFormat.DecimalExponent)
            return exponent == 0 ? number : $"{number}e{exponent}";
        return number + exponent switch
        {
            -9 => "n", -6 => "u", -3 => "m", 3 => "k", 6 => "M", 9 => "G", 12 => "T", 15 => "P", 18 => "E", _ => "",
        };
    }

    private static Int128 DivideUp(Int128 value, Int128 by)
    {
        var (quotient, remainder) = Int128.DivRem(value, by);
        return remainder == 0 ? quotient : quotient + Int128.Sign(value);
    }
}
