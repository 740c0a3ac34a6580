using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Weft.Api.Batch;

/// <summary>
/// A schedule in cron's five fields (minute, hour, day of month, month, day of week), or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`, or
/// `@every 1h30m`. When both days are restricted, one of them is enough (crontab(5)).
/// </summary>
public sealed class CronSchedule
{
    // Leap days are eight years apart around 2100; nothing that a schedule can mean is rarer.
    private const int LongestSearchDays = 9 * 366;
    private const int LongestText = 256;

    // Wall clocks never jump by more.
    private static readonly TimeSpan LargestShift = TimeSpan.FromHours(3);

    private readonly CronField _minutes;
    private readonly CronField _hours;
    private readonly CronField _days;
    private readonly CronField _months;
    private readonly CronField _weekdays;
    private readonly TimeSpan? _every;

    private CronSchedule(CronField[] fields, TimeSpan? every = null)
    {
        (_minutes, _hours, _days, _months, _weekdays) = (fields[0], fields[1], fields[2], fields[3], fields[4]);
        _every = every;
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out CronSchedule? schedule, out string problem)
    {
        (schedule, problem) = (null, "");
        text = text.Trim();
        if (text.Length > LongestText)
        {
            problem = $"a schedule has at most {LongestText} characters";
            return false;
        }

        if (text.StartsWith("@every ", StringComparison.Ordinal))
            return TryEvery(text["@every ".Length..], out schedule, out problem);
        var written = text switch
        {
            "@yearly" or "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" or "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => text,
        };
        var parts = written.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 5)
        {
            problem = $"expected exactly 5 fields (minute, hour, day of month, month, day of week), found {parts.Length}: {text}";
            return false;
        }

        var fields = new CronField[5];
        for (var i = 0; i < 5; i++)
        {
            if (!CronField.TryParse(parts[i], CronField.Bounds[i], out var field, out problem))
                return false;
            fields[i] = field;
        }
        schedule = new CronSchedule(fields);
        return true;
    }

    /// <summary>
    /// The first time after <paramref name="after"/>; null when there is none. A wall-clock time that a change to summer time leaves out does not
    /// happen; one that comes twice happens twice.
    /// </summary>
    public DateTimeOffset? Next(DateTimeOffset after, TimeZoneInfo zone)
    {
        if (_every is { } every)
            return new DateTimeOffset(after.UtcTicks - after.UtcTicks % TimeSpan.TicksPerSecond, TimeSpan.Zero) + every;

        var start = TimeZoneInfo.ConvertTime(after, zone).DateTime - LargestShift;
        DateTimeOffset? best = null;
        DateTime bestWall = default;
        foreach (var wall in Walls(start))
        {
            if (best is not null && wall > bestWall + LargestShift)
                break;
            foreach (var instant in Instants(wall, zone))
            {
                if (instant > after && (best is null || instant < best))
                    (best, bestWall) = (instant, wall);
            }
        }
        return best;
    }

    /// <summary>Whether the wall-clock minute is one of the schedule's.</summary>
    public bool Matches(DateTime wall) =>
        _every is null && _minutes.Has(wall.Minute) && _hours.Has(wall.Hour) && IsDay(wall);

    private IEnumerable<DateTime> Walls(DateTime start)
    {
        var day = start.Date;
        for (var i = 0; i < LongestSearchDays && day < DateTime.MaxValue.Date; i++, day = day.AddDays(1))
        {
            if (!IsDay(day))
                continue;
            for (var hour = 0; hour < 24; hour++)
            {
                if (!_hours.Has(hour))
                    continue;
                for (var minute = 0; minute < 60; minute++)
                {
                    if (_minutes.Has(minute) && day.AddHours(hour).AddMinutes(minute) is var wall && wall >= start)
                        yield return wall;
                }
            }
        }
    }

    private bool IsDay(DateTime day)
    {
        if (!_months.Has(day.Month))
            return false;
        var (byDay, byWeekday) = (_days.Has(day.Day), _weekdays.Has((int)day.DayOfWeek));
        return _days.IsAny || _weekdays.IsAny ? byDay && byWeekday : byDay || byWeekday;
    }

    private static IEnumerable<DateTimeOffset> Instants(DateTime wall, TimeZoneInfo zone)
    {
        if (zone.IsInvalidTime(wall))
            return [];
        var offsets = zone.IsAmbiguousTime(wall) ? zone.GetAmbiguousTimeOffsets(wall) : [zone.GetUtcOffset(wall)];
        return offsets.Select(offset => new DateTimeOffset(wall, offset));
    }

    private static bool TryEvery(string text, [NotNullWhen(true)] out CronSchedule? schedule, out string problem)
    {
        (schedule, problem) = (null, $"failed to parse duration @every {text}: write hours, minutes and seconds as 1h30m10s");
        var total = TimeSpan.Zero;
        var number = 0L;
        var digits = 0;
        foreach (var character in text.Trim())
        {
            if (char.IsAsciiDigit(character) && digits++ < 7)
                number = number * 10 + (character - '0');
            else if (digits is > 0 and < 8 && character is 'h' or 'm' or 's')
            {
                total += character switch { 'h' => TimeSpan.FromHours(number), 'm' => TimeSpan.FromMinutes(number), _ => TimeSpan.FromSeconds(number) };
                (number, digits) = (0, 0);
            }
            else
                return false;
        }
        if (digits > 0 || total < TimeSpan.FromSeconds(1))
            return false;
        var any = new CronField[5];
        for (var i = 0; i < 5; i++)
            CronField.TryParse("*", CronField.Bounds[i], out any[i], out _);
        (schedule, problem) = (new CronSchedule(any, total), "");
        return true;
    }
}

/// <summary>One field of a schedule: the numbers that it allows.</summary>
internal readonly struct CronField
{
    internal sealed record Bound(string Name, int Least, int Most, string[] Names);

    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    public static readonly Bound[] Bounds =
    [
        new("minute", 0, 59, []), new("hour", 0, 23, []), new("day of month", 1, 31, []), new("month", 1, 12, Months), new("day of week", 0, 6, Weekdays),
    ];

    private readonly ulong _bits;

    private CronField(ulong bits, bool isAny) => (_bits, IsAny) = (bits, isAny);

    /// <summary>`*`: the field says nothing, which counts for the two fields of days.</summary>
    public bool IsAny { get; }

    public bool Has(int number) => (_bits & 1UL << number) != 0;

    public static bool TryParse(string text, Bound bound, out CronField field, out string problem)
    {
        var (bits, any) = (0UL, false);
        (field, problem) = (default, "");
        foreach (var part in text.Split(','))
        {
            if (!TryPart(part, bound, ref bits, ref any, out problem))
                return false;
        }
        field = new CronField(bits, any);
        return true;
    }

    private static bool TryPart(string part, Bound bound, ref ulong bits, ref bool any, out string problem)
    {
        problem = $"{bound.Name} '{part}' must be '*', a number from {bound.Least} to {bound.Most}, or a range, with an optional step as in '*/5'";
        var slash = part.IndexOf('/');
        var range = slash < 0 ? part : part[..slash];
        var step = 1;
        if (slash >= 0 && (!int.TryParse(part.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out step) || step < 1))
            return false;

        int first, last;
        if (range is "*" or "?")
        {
            (first, last) = (bound.Least, bound.Most);
            any |= step == 1;
        }
        else
        {
            var dash = range.IndexOf('-');
            if (!TryNumber(dash < 0 ? range : range[..dash], bound, out first))
                return false;
            if (dash < 0)
                last = slash < 0 ? first : bound.Most;
            else if (!TryNumber(range[(dash + 1)..], bound, out last))
                return false;
            if (last < first)
            {
                problem = $"{bound.Name} '{part}': the beginning of a range must not be beyond its end";
                return false;
            }
        }

        for (var number = first; number <= last; number += Math.Min(step, 64))
            bits |= 1UL << number;
        return true;
    }

    private static bool TryNumber(string text, Bound bound, out int number)
    {
        var named = Array.IndexOf(bound.Names, text.ToLowerInvariant());
        if (named >= 0)
        {
            number = named + bound.Least;
            return true;
        }
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= bound.Least && number <= bound.Most;
    }
}
