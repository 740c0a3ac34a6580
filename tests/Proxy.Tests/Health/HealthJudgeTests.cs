using Weft.Proxy.Config.Model;
using Weft.Proxy.Health;

namespace Weft.Proxy.Tests.Health;

public sealed class HealthJudgeTests
{
    private static readonly TcpHealthCheck Check = new() { Unhealthy = 3, Healthy = 2, Interval = TimeSpan.FromSeconds(10), UnhealthyInterval = TimeSpan.FromSeconds(2), Jitter = 0.1 };

    [Theory]
    [InlineData("+", true)]
    [InlineData("-", false)]
    [InlineData("+--", true)]
    [InlineData("+---", false)]
    [InlineData("+--+--", true)]
    [InlineData("+---+", false)]
    [InlineData("+---++", true)]
    [InlineData("-+", false)]
    [InlineData("-++", true)]
    public void Thresholds_count_answers_in_a_row_and_the_first_decides(string answers, bool healthy) =>
        Assert.Equal(healthy, answers.Aggregate(default(HealthJudge), (judge, answer) => judge.Next(answer == '+', Check)).Healthy);

    [Fact]
    public void The_rhythm_has_chance_in_it_and_is_quicker_for_the_sick()
    {
        Assert.Equal(TimeSpan.FromSeconds(10), new HealthJudge(true, 0).Wait(Check, 0));
        Assert.Equal(TimeSpan.FromSeconds(11), new HealthJudge(true, 0).Wait(Check, 1));
        Assert.Equal(TimeSpan.FromSeconds(2), new HealthJudge(false, 0).Wait(Check, 0));
    }
}
