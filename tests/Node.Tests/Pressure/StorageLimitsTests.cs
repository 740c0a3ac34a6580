using Weft.Api.Core;
using Weft.Node.Pressure;
using Weft.Node.Tests.Pods;

namespace Weft.Node.Tests.Pressure;

public sealed class StorageLimitsTests
{
    private static string Container(string name, string? limit) => limit is null ? $$"""{"name":"{{name}}"}""" : $$$$"""{"name":"{{{{name}}}}","resources":{"limits":{"ephemeral-storage":"{{{{limit}}}}"}}}""";

    private static string EmptyDir(string? limit, string medium) => limit is null ? "{}" : $$"""{"sizeLimit":"{{limit}}","medium":"{{medium}}"}""";

    private static Pod Pod(string? first, string? second, string? volume = null, string medium = "") => World.Pod($$$"""
        {"containers":[{{{Container("a", first)}}},{{{Container("b", second)}}}],
         "volumes":[{"name":"v","emptyDir":{{{EmptyDir(volume, medium)}}}},{"name":"c","configMap":{"name":"x"}}]}
        """);

    private static string? Exceeded(Pod pod, long volume, long a, long b) =>
        StorageLimits.Exceeded(pod, new(new Dictionary<string, long> { ["v"] = volume }, new Dictionary<string, long> { ["a"] = a, ["b"] = b }));

    [Fact]
    public void Pods_without_limits_are_not_looked_at()
    {
        Assert.False(StorageLimits.Concern(Pod(null, null)));
        Assert.False(StorageLimits.Concern(Pod(null, null, "1Mi", "Memory")));
        Assert.False(StorageLimits.Concern(Pod(null, null, "0")));
        Assert.True(StorageLimits.Concern(Pod(null, null, "1Mi")));
        Assert.True(StorageLimits.Concern(Pod(null, "1Mi")));
        Assert.Null(Exceeded(Pod(null, null), long.MaxValue / 4, 1, 1));
    }

    [Theory]
    [InlineData(1024, null)]
    [InlineData(1025, "Usage of EmptyDir volume \"v\" exceeds the limit \"1Ki\". ")]
    public void A_volume_has_its_own_limit(long used, string? message) => Assert.Equal(message, Exceeded(Pod(null, null, "1Ki"), used, 1, 1));

    [Theory]
    [InlineData(0, 1024, 2048, null)]
    [InlineData(0, 1025, 0, "Container a exceeded its local ephemeral storage limit \"1Ki\". ")]
    [InlineData(1, 1024, 2048, "Pod ephemeral local storage usage exceeds the total limit of containers 3Ki. ")]
    [InlineData(3073, 0, 0, "Pod ephemeral local storage usage exceeds the total limit of containers 3Ki. ")]
    public void Containers_have_theirs_and_their_sum_is_the_pods(long volume, long a, long b, string? message) => Assert.Equal(message, Exceeded(Pod("1Ki", "2Ki"), volume, a, b));

    [Fact]
    public void A_container_without_a_limit_counts_for_the_pods_but_has_none() =>
        Assert.Equal("Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. ", Exceeded(Pod("1Ki", null), 0, 0, 1025));
}
