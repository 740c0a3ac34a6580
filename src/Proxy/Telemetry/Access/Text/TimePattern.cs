using System.Globalization;
using System.Text;

namespace Weft.Proxy.Telemetry.Access.Text;

/// <summary>As much of strftime as logs use, and Envoy's fractions of a second; UTC.</summary>
internal sealed class TimePattern
{
    private readonly (string? Text, char Kind, int Digits)[] _parts;

    private TimePattern(List<(string? Text, char Kind, int Digits)> parts) => _parts = [.. parts];

    /// <summary>`2026-02-03T04:05:06.789Z`, Envoy's default.</summary>
    public static TimePattern Default { get; } = Parse("%Y-%m-%dT%H:%M:%S.%3fZ");

    /// <exception cref="ArgumentException">A letter is not known.</exception>
    public static TimePattern Parse(string text)
    {
        var parts = new List<(string? Text, char Kind, int Digits)>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                parts.Add(($"{text[i]}", '\0', 0));
                continue;
            }

            var digits = i + 1 < text.Length && text[i + 1] is >= '1' and <= '9' ? text[++i] - '0' : 0;
            var kind = ++i < text.Length ? text[i] : '\0';
            if (kind is not ('Y' or 'm' or 'd' or 'H' or 'M' or 'S' or 's' or 'f' or 'T' or 'F' or 'b' or 'z' or '%') || (digits > 0 && kind != 'f'))
                throw new ArgumentException($"'{text}' has a part of a time that is not known; there are %Y %m %d %H %M %S %s %f %3f %T %F %b %z");
            parts.Add((null, kind, digits == 0 ? 9 : digits));
        }

        return new TimePattern(parts);
    }

    public string Write(long microseconds)
    {
        var time = DateTime.UnixEpoch.AddTicks(microseconds * 10);
        var text = new StringBuilder();
        foreach (var (literal, kind, digits) in _parts)
        {
            text.Append(literal ?? kind switch
            {
                'Y' => time.ToString("yyyy", CultureInfo.InvariantCulture),
                'm' => time.ToString("MM", CultureInfo.InvariantCulture),
                'd' => time.ToString("dd", CultureInfo.InvariantCulture),
                'H' => time.ToString("HH", CultureInfo.InvariantCulture),
                'M' => time.ToString("mm", CultureInfo.InvariantCulture),
                'S' => time.ToString("ss", CultureInfo.InvariantCulture),
                'T' => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
                'F' => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                'b' => time.ToString("MMM", CultureInfo.InvariantCulture),
                's' => (microseconds / 1_000_000).ToString(CultureInfo.InvariantCulture),
                'f' => $"{microseconds % 1_000_000:D6}000"[..digits],
                'z' => "+0000",
                _ => "%",
            });
        }

        return text.ToString();
    }
}
