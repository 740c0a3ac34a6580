using Weft.Node.Usage;
using Weft.Testing;

namespace Weft.Node.Tests.Usage;

public sealed class UsageReadingTests
{
    private static UsageReading Reading(int seconds, Counted? node, params (string Id, string Pod, string Name, double CpuSeconds, long Memory)[] containers) => new(
        ManualTime.Start.AddSeconds(seconds), TimeSpan.FromSeconds(seconds), node,
        containers.ToDictionary(one => one.Id, one => new CountedContainer(one.Pod, one.Name, new Counted(TimeSpan.FromSeconds(one.CpuSeconds), one.Memory))));

    [Fact]
    public void What_is_used_now_is_the_difference_of_two_readings()
    {
        var before = Reading(100, new Counted(TimeSpan.FromSeconds(50), 1), ("a", "p1", "main", 7, 10), ("b", "p1", "side", 1, 20), ("c", "p2", "main", 3, 30));
        var after = Reading(110, new Counted(TimeSpan.FromSeconds(65), 1000), ("a", "p1", "main", 9.5, 11), ("b", "p1", "side", 1, 21), ("d", "p2", "main", 1, 40));

        var usage = after.Since(before);
        Assert.Equal((1_500_000_000, 1000, TimeSpan.FromSeconds(10), ManualTime.Start.AddSeconds(110)), (usage.Node!.NanoCores, usage.Node.MemoryBytes, usage.Node.Window, usage.Node.At));
        // p2's container is a new one: it has no rate yet, and the old one's counter is not its own.
        var pod = Assert.Single(usage.Pods);
        Assert.Equal("p1", pod.Uid);
        Assert.Equal([("main", 250_000_000, 11), ("side", 0, 21)], pod.Containers.Select(one => (one.Name, (int)one.Usage.NanoCores, (int)one.Usage.MemoryBytes)));
    }

    [Fact]
    public void A_counter_that_went_back_and_readings_that_are_too_near_say_nothing()
    {
        Assert.Empty(Reading(10, null, ("a", "p", "main", 1, 1)).Since(Reading(0, null, ("a", "p", "main", 5, 1))).Pods);
        Assert.True(Reading(0, null).IsTooSoonAfter(Reading(0, null)));
        Assert.False(Reading(1, null).IsTooSoonAfter(Reading(0, null)));
    }

    [Theory]
    [InlineData("cpu  100 20 30 9999 50 6 4 7 3 0\ncpu0 1 1 1 1 1 1 1\n", 1600)]
    [InlineData("intr 1\n", 0)]
    public void The_machines_CPU_time_is_what_was_not_idle(string stat, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), UsageReading.MachineCpu(stat));
}
