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
            run.Charge(1 + Lists.Weight(value));
            if (One(format[i], value, precision ?? 6) is not { } part)
                return new CelFailure($"could not parse formatting clause: verb '{format[i]}' does not fit its argument");
            text.Append(part);
        }
        run.Charge(text.Length / 10);
        return text.ToString();
    }

    private static string? One(char verb, object? value, int precision) => (verb, value) switch
    {
        ('s', _) => Plain(value),
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

    private static string? Plain(object? value) => value switch
    {
        null => "null",
        string text => text,
        bool flag => flag ? "true" : "false",
        long or ulong or double => CelText.Shown(value),
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        DateTimeOffset time => CelTime.Shown(time),
        TimeSpan span => CelTime.Shown(span),
        CelList list => $"[{string.Join(", ", list.Select(Plain))}]",
        CelMap map => $"{{{string.Join(", ", map.Keys.Select(key => (Key: Plain(key), Value: Plain(map.TryGet(key, out var member) ? member : null))).OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}: {entry.Value}"))}}}",
        CelType type => type.ToString(),
        _ => null,
    };
}
