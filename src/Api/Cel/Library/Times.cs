namespace Weft.Api.Cel.Library;

/// <summary>Parts of timestamps and durations; months and days of the year count from 0, days of the week from Sunday.</summary>
internal static class Times
{
    public static IEnumerable<Overload> All =>
    [
        .. Part("getFullYear", time => time.Year),
        .. Part("getMonth", time => time.Month - 1),
        .. Part("getDate", time => time.Day),
        .. Part("getDayOfMonth", time => time.Day - 1),
        .. Part("getDayOfWeek", time => (int)time.DayOfWeek),
        .. Part("getDayOfYear", time => time.DayOfYear - 1),
        .. Part("getHours", time => time.Hour),
        .. Part("getMinutes", time => time.Minute),
        .. Part("getSeconds", time => time.Second),
        .. Part("getMilliseconds", time => time.Millisecond),
        Overload.Of("duration.getHours():int", (_, a) => ((TimeSpan)a[0]!).Ticks / TimeSpan.TicksPerHour),
        Overload.Of("duration.getMinutes():int", (_, a) => ((TimeSpan)a[0]!).Ticks / TimeSpan.TicksPerMinute),
        Overload.Of("duration.getSeconds():int", (_, a) => ((TimeSpan)a[0]!).Ticks / TimeSpan.TicksPerSecond),
        Overload.Of("duration.getMilliseconds():int", (_, a) => ((TimeSpan)a[0]!).Ticks / TimeSpan.TicksPerMillisecond),
    ];

    private static IEnumerable<Overload> Part(string name, Func<DateTimeOffset, int> part)
    {
        yield return Overload.Of($"timestamp.{name}():int", (_, a) => (long)part(((DateTimeOffset)a[0]!).ToUniversalTime()));
        yield return Overload.Of($"timestamp.{name}(string):int", (_, a) =>
            CelTime.In((DateTimeOffset)a[0]!, (string)a[1]!) switch { DateTimeOffset local => (long)part(local), var failure => failure });
    }
}
