using System.Text.Json.Nodes;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Tests.Access.Tables;

public sealed class HumanTimeTests
{
    [Theory]
    [InlineData(-5, "<invalid>")]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(121, "2m1s")]
    [InlineData(599, "9m59s")]
    [InlineData(600, "10m")]
    [InlineData(3 * 3600 - 1, "179m")]
    [InlineData(3 * 3600, "3h")]
    [InlineData(3 * 3600 + 60, "3h1m")]
    [InlineData(8 * 3600 + 60, "8h")]
    [InlineData(47 * 3600, "47h")]
    [InlineData(48 * 3600, "2d")]
    [InlineData(49 * 3600, "2d1h")]
    [InlineData(8 * 86400 + 3600, "8d")]
    [InlineData(700 * 86400, "700d")]
    [InlineData(730 * 86400, "2y")]
    [InlineData(731 * 86400, "2y1d")]
    [InlineData(9L * 365 * 86400 + 86400, "9y")]
    public void Ages_read_as_in_kubectl(long seconds, string expected) => Assert.Equal(expected, HumanTime.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void An_unreadable_time_is_unknown()
    {
        Assert.Equal("<unknown>", HumanTime.Since(null, DateTimeOffset.UnixEpoch));
        Assert.Equal("<unknown>", HumanTime.Since(JsonValue.Create("yesterday"), DateTimeOffset.UnixEpoch));
    }
}
