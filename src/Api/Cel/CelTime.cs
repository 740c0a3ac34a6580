using System.Globalization;
using System.Text;

namespace Weft.Api.Cel;

/// <summary>Durations as Go writes them, timestamps as RFC 3339 does.</summary>
internal static class CelTime
{
    private static readonly (string Unit, decimal Ticks)[] Units = [("ns", 0.01m), ("us", 10m), ("µs", 10m), ("ms", 10_000m), ("s", 10_000_000m), ("m", 600_000_000m), ("h", 36_000_000_000m)];

    /// <summary>1h30m, -1.5s, 0; null when it is none or beyond what fits.</summary>
    public static TimeSpan? ParseDuration(string text)
    {
        var rest = text.AsSpan();
        var negative = rest.StartsWith("-");
        if (negative || rest.StartsWith("+"))
            rest = rest[1..];
        if (rest is "0")
            return TimeSpan.Zero;
        if (rest.Length is 0 or > 100)
            return null;
        var ticks = 0m;
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
                return null;
            rest = rest[digits..];
            var letters = rest.IndexOfAny("0123456789.") is >= 0 and var end ? end : rest.Length;
            var unit = rest[..letters].ToString();
            if (Array.Find(Units, known => known.Unit == unit) is not { Unit: not null } found || amount > 1_000_000_000_000_000m)
                return null;
            ticks += amount * found.Ticks;
            rest = rest[letters..];
        }
        return ticks <= long.MaxValue ? TimeSpan.FromTicks(negative ? -(long)ticks : (long)ticks) : null;
    }

    /// <summary>RFC 3339: with an offset, and no other form.</summary>
    public static DateTimeOffset? ParseTimestamp(string text) =>
        Trees.Formats.IsValid("date-time", text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    public static string Shown(DateTimeOffset time)
    {
        var text = time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture).TrimEnd('0').TrimEnd('.');
        return text + "Z";
    }

    public static string Shown(TimeSpan span) => (span.Ticks / 10_000_000m).ToString("0.#######", CultureInfo.InvariantCulture) + "s";

    /// <summary>The time as a clock of a zone shows it: `Europe/Berlin`, `+02:00`; a failure when there is no such zone, or no such time in it.</summary>
    public static object In(DateTimeOffset time, string zone)
    {
        if (zone.Length == 0 || zone == "UTC")
            return time.ToUniversalTime();
        var digits = zone[0] is '+' or '-' ? zone[1..] : zone;
        if (TimeSpan.TryParseExact(digits, @"hh\:mm", CultureInfo.InvariantCulture, out var offset) && offset <= TimeSpan.FromHours(14))
            return Moved(time, zone[0] == '-' ? -offset : offset);
        return IsZone(zone) && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? Moved(time, found.GetUtcOffset(time)) : new CelFailure($"unknown time zone {zone}");
    }

    // A clock shows no time before the year 1, nor after 9999.
    private static object Moved(DateTimeOffset time, TimeSpan offset)
    {
        var ticks = time.UtcTicks + offset.Ticks;
        return ticks >= DateTime.MinValue.Ticks && ticks <= DateTime.MaxValue.Ticks ? time.ToOffset(offset) : new CelFailure("timestamp overflow");
    }

    // The system looks for a zone in a directory of files: a name that data gives must lead to nothing outside of it. No name of the database is longer than 64.
    private static bool IsZone(string name) =>
        name.Length <= 64 && char.IsAsciiLetter(name[0]) && name[^1] != '/' && !name.Contains("//", StringComparison.Ordinal)
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '-' or '/');
}
