using Weft.Api.Batch;
using Weft.Testing;

namespace Weft.Api.Tests;

public sealed class CronScheduleTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("* * * * *", "2026-01-02T03:04:05Z", "2026-01-02T03:05:00Z")]
    [InlineData("*/15 * * * *", "2026-01-02T03:04:05Z", "2026-01-02T03:15:00Z")]
    [InlineData("5/20 * * * *", "2026-01-02T03:04:05Z", "2026-01-02T03:05:00Z")]
    [InlineData("0 0 * * *", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")]
    [InlineData("30 8 * * MON-FRI", "2026-01-02T09:00:00Z", "2026-01-05T08:30:00Z")]
    [InlineData("0 12 1 jan,jul ?", "2026-01-02T00:00:00Z", "2026-07-01T12:00:00Z")]
    [InlineData("0 0 29 2 *", "2026-01-02T00:00:00Z", "2028-02-29T00:00:00Z")]
    [InlineData("0 0 13 * 5", "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z")] // either day is enough: a Friday before the 13th
    [InlineData("@hourly", "2026-01-02T03:04:05Z", "2026-01-02T04:00:00Z")]
    [InlineData("@weekly", "2026-01-02T03:04:05Z", "2026-01-04T00:00:00Z")]
    [InlineData("@every 1h30m", "2026-01-02T03:04:05.5Z", "2026-01-02T04:34:05Z")]
    public void The_next_time_is_the_first_that_matches(string text, string after, string expected)
    {
        Assert.True(CronSchedule.TryParse(text, out var schedule, out _));
        Assert.Equal(DateTimeOffset.Parse(expected), schedule.Next(DateTimeOffset.Parse(after), TimeZoneInfo.Utc));
    }

    [Theory]
    [InlineData("")]
    [InlineData("* * * *")]
    [InlineData("* * * * * *")]
    [InlineData("60 * * * *")]
    [InlineData("* 24 * * *")]
    [InlineData("* * 0 * *")]
    [InlineData("* * * 13 *")]
    [InlineData("* * * * 7")]
    [InlineData("5-1 * * * *")]
    [InlineData("*/0 * * * *")]
    [InlineData("-1 * * * *")]
    [InlineData("a * * * *")]
    [InlineData("1,,2 * * * *")]
    [InlineData("@often")]
    [InlineData("@every 5")]
    [InlineData("@every 0s")]
    public void What_is_no_schedule_is_refused_with_a_reason(string text)
    {
        Assert.False(CronSchedule.TryParse(text, out _, out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void A_day_that_never_comes_has_no_next_time()
    {
        Assert.True(CronSchedule.TryParse("0 0 30 2 *", out var schedule, out _));
        Assert.Null(schedule.Next(DateTimeOffset.UnixEpoch, TimeZoneInfo.Utc));
    }

    [Fact]
    public void A_time_that_summer_time_leaves_out_does_not_happen_and_one_that_comes_twice_happens_twice()
    {
        Assert.True(CronSchedule.TryParse("30 2 * * *", out var schedule, out _));
        // In 2026 clocks go from 2 to 3 on March 29, and from 3 back to 2 on October 25.
        Assert.Equal(DateTimeOffset.Parse("2026-03-30T02:30:00+02:00"), schedule.Next(DateTimeOffset.Parse("2026-03-28T12:00:00+01:00"), Berlin));
        var summer = schedule.Next(DateTimeOffset.Parse("2026-10-24T12:00:00+02:00"), Berlin)!.Value;
        Assert.Equal(DateTimeOffset.Parse("2026-10-25T02:30:00+02:00"), summer);
        Assert.Equal(DateTimeOffset.Parse("2026-10-25T02:30:00+01:00"), schedule.Next(summer, Berlin));
    }

    [Fact]
    public void No_time_is_left_out_and_none_is_invented()
    {
        var random = Seeded.Random(5);
        for (var round = 0; round < 60; round++)
        {
            var text = $"{Field(0, 59)} {Field(0, 23)} {Field(1, 31)} {Field(1, 12)} {Field(0, 6)}";
            Assert.True(CronSchedule.TryParse(text, out var schedule, out var problem), $"{text}: {problem}");
            var after = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(random.Next(525_600));
            var next = schedule.Next(after, TimeZoneInfo.Utc);
            if (next is { } found)
            {
                Assert.True(found > after && schedule.Matches(found.DateTime), text);
                var end = Math.Min((found - after).TotalMinutes, 60 * 24 * 40);
                for (var minute = after.AddMinutes(1); minute < after.AddMinutes(end); minute = minute.AddMinutes(1))
                    Assert.False(schedule.Matches(minute.DateTime) && minute < found, $"{text} leaves out {minute:O}");
            }

            string Field(int least, int most) => random.Next(6) switch
            {
                0 or 1 or 2 => "*",
                3 => $"{random.Next(least, most + 1)}",
                4 => $"*/{random.Next(1, most)}",
                _ => $"{random.Next(least, most / 2)}-{random.Next(most / 2, most + 1)}/{random.Next(1, 4)},{random.Next(least, most + 1)}",
            };
        }
    }
}
