using System.Globalization;

namespace Weft.Control.Mesh.Texts;

/// <summary>Durations as Istio writes them: `5s`, `1h30m`, `0.5s`, `100ms`.</summary>
internal static class Durations
{
    // A number of hours that no TimeSpan holds is no duration either.
    private const double LongestSeconds = 365d * 24 * 3600;

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var seconds = 0d;
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAny("0123456789.") is var end and >= 0 ? end : rest.Length;
            double? unit = rest[..letters] switch
            {
                "h" => 3600, "m" => 60, "s" => 1, "ms" => 1e-3, "us" or "µs" => 1e-6, "ns" => 1e-9, _ => null,
            };
            if (unit is null)
                return false;
            seconds += number * unit.Value;
            rest = rest[letters..];
        }

        if (text.Length == 0 || seconds > LongestSeconds)
            return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>Null where there is none, or where it is reported.</summary>
    public static TimeSpan? Read(string? text, string field, Diagnostics.Problems problems)
    {
        if (text is null)
            return null;
        if (TryParse(text, out var duration))
            return duration;
        problems.Error(field, $"'{text}' is no duration; write it as 5s, 100ms or 1h30m");
        return null;
    }
}
