using Weft.Cli.Supervision;

namespace Weft.Cli.Tests;

public sealed class RestartBackoffTests
{
    private static readonly TimeSpan Young = TimeSpan.FromSeconds(1);

    [Fact]
    public void The_first_restart_is_immediate() => Assert.Equal(TimeSpan.Zero, new RestartBackoff().Next(Young));

    [Fact]
    public void A_server_that_keeps_dying_young_is_slowed_down_to_ten_seconds()
    {
        var backoff = new RestartBackoff();
        var delays = Enumerable.Range(0, 30).Select(_ => backoff.Next(Young)).ToList();
        Assert.Equal(delays.Order(), delays);
        Assert.Equal(TimeSpan.FromSeconds(10), delays[^1]);
    }

    [Fact]
    public void A_server_that_lived_is_restarted_at_once_again()
    {
        var backoff = new RestartBackoff();
        for (var i = 0; i < 5; i++)
            backoff.Next(Young);
        Assert.Equal(TimeSpan.Zero, backoff.Next(TimeSpan.FromMinutes(1)));
    }
}
