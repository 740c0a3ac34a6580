using System.Globalization;
using System.Numerics;
using System.Text;

namespace Weft.Api.Cel.Library;

/// <summary>`"%s has %d".format([a, b])`: the verbs s, d, f, e, b, o, x and X of cel-go's strings extension.</summary>
internal static class TextFormat
{
    // Go formats no more digits than this, and nobody reads them.
    private const int MaxPrecision = 100;

    public static object Write(CelRun run, string format, CelList arguments)
    {
        run.ChargeText(format);
        var text = new StringBuilder();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            if (++i < format.Length && format[i] == '%')
            {
                text.Append('%');
                continue;
            }
            int? precision = null;
            if (i < format.Length && format[i] == '.')
            {
                var digits = format.AsSpan(i + 1).IndexOfAnyExceptInRange('0', '9');
                if (digits <= 0 || !int.TryParse(format.AsSpan(i + 1, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) || wanted > MaxPrecision)
                    return new CelFailure("could not parse formatting clause: bad precision");
                (precision, i) = (wanted, i + 1 + digits);
            }
            if (i >= format.Length)
                return new CelFailure("unexpected end of format string");
            if (next >= arguments.Count)
                return new CelFailure($"index {next} out of range");
            var value = arguments[next++];
            run.Charge(1 + (precision ?? 0) / 10);
            if (format[i] == 's' ? !Plain(run, text, value) : !One(run, text, format[i], value, precision ?? 6))
                return new CelFailure($"could not parse formatting clause: verb '{format[i]}' does not fit its argument");
        }
        run.Charge(text.Length / 10);
        return text.ToString();
    }

    private static bool One(CelRun run, StringBuilder text, char verb, object? value, int precision)
    {
        // The longest of numbers has 309 digits before its point.
        run.ChargeScalar(value);
        if (Digits(verb, value, precision) is not { } part)
            return false;
        run.ChargeText(part);
        text.Append(part);
        return true;
    }

    private static string? Digits(char verb, object? value, int precision) => (verb, value) switch
    {
        ('d', long or ulong) => CelText.Shown(value),
        ('f', double number) => double.IsFinite(number) ? number.ToString("F" + precision, CultureInfo.InvariantCulture) : CelText.Real(number),
        ('f', long or ulong) => Convert.ToDouble(value, CultureInfo.InvariantCulture).ToString("F" + precision, CultureInfo.InvariantCulture),
        ('e', double number) => number.ToString("0." + new string('0', precision) + "e+00", CultureInfo.InvariantCulture),
        ('e', long or ulong) => Convert.ToDouble(value, CultureInfo.InvariantCulture).ToString("0." + new string('0', precision) + "e+00", CultureInfo.InvariantCulture),
        ('b', bool flag) => flag ? "1" : "0",
        ('b', long number) => Based(number, 2),
        ('b', ulong number) => number.ToString("b", CultureInfo.InvariantCulture),
        ('o', long number) => Based(number, 8),
        ('x', long number) => Based(number, 16),
        ('x', ulong number) => number.ToString("x", CultureInfo.InvariantCulture),
        ('x', string text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text)),
        ('x', byte[] bytes) => Convert.ToHexStringLower(bytes),
        ('X', long number) => Based(number, 16).ToUpperInvariant(),
        ('X', ulong number) => number.ToString("X", CultureInfo.InvariantCulture),
        ('X', string text) => Convert.ToHexString(Encoding.UTF8.GetBytes(text)),
        ('X', byte[] bytes) => Convert.ToHexString(bytes),
        _ => null,
    };

    private static string Based(long number, int radix)
    {
        var (rest, digits) = (BigInteger.Abs(number), new StringBuilder());
        do
        {
            digits.Insert(0, "0123456789abcdef"[(int)(rest % radix)]);
            rest /= radix;
        }
        while (rest > 0);
        return (number < 0 ? "-" : "") + digits;
    }

    // Charged as it is written: a value may be many times as large as the memory that it takes.
    private static bool Plain(CelRun run, StringBuilder text, object? value)
    {
        run.Charge(1);
        run.ChargeScalar(value);
        if (value is not (CelList or CelMap))
        {
            var shown = Scalar(value);
            text.Append(shown);
            return shown is not null;
        }
        run.Enter();
        var written = value is CelList list ? Plain(run, text, list) : Plain(run, text, (CelMap)value);
        run.Leave();
        return written;
    }

    private static bool Plain(CelRun run, StringBuilder text, CelList list)
    {
        text.Append('[');
        for (var i = 0; i < list.Count; i++)
        {
            text.Append(i > 0 ? ", " : "");
            if (!Plain(run, text, list[i]))
                return false;
        }
        text.Append(']');
        return true;
    }

    private static bool Plain(CelRun run, StringBuilder text, CelMap map)
    {
        text.Append('{');
        run.Charge(map.Count);
        var first = true;
        foreach (var (name, key) in map.Keys.Select(key => (Name: Scalar(key), Key: key)).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            run.ChargeText(name!);
            text.Append(first ? "" : ", ").Append(name).Append(": ");
            first = false;
            if (!Plain(run, text, map.TryGet(key, out var member) ? member : null))
                return false;
        }
        text.Append('}');
        return true;
    }

    private static string? Scalar(object? value) => value switch
    {
        null => "null",
        string text => text,
        bool flag => flag ? "true" : "false",
        long or ulong or double => CelText.Shown(value),
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        DateTimeOffset time => CelTime.Shown(time),
        TimeSpan span => CelTime.Shown(span),
        CelType type => type.ToString(),
        _ => null,
    };
}
