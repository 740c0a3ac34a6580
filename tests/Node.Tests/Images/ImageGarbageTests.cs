using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Images;
using Weft.Node.Tests.Pods;
using Weft.Testing;

namespace Weft.Node.Tests.Images;

public sealed class ImageGarbageTests
{
    private static StoredImage Stored(string id, int? usedMinutesAgo, int seenMinutesAgo = 60, bool inUse = false, bool pinned = false) => new(
        id, 100, pinned, inUse, usedMinutesAgo is { } minutes ? World.Now.AddMinutes(-minutes) : null, World.Now.AddMinutes(-seenMinutesAgo));

    private static string Plan(long bytes, params StoredImage[] images) => string.Join(' ', ImageGarbage.Plan(images, bytes, World.Now).Select(i => i.Id));

    [Theory]
    [InlineData(16, 0)]
    [InlineData(15, 5)]
    [InlineData(5, 15)]
    [InlineData(0, 20)]
    public void Above_85_percent_it_frees_down_to_80(long available, long excess) => Assert.Equal(excess, ImageGarbage.Excess(new DiskRoom(100, available)));

    [Fact]
    public void The_longest_unused_go_first_and_only_as_many_as_are_needed()
    {
        StoredImage[] images = [Stored("recent", 10), Stored("never", null), Stored("old", 30)];

        Assert.Equal("never old", Plan(150, images));
        Assert.Equal("never old recent", Plan(long.MaxValue, images));
        Assert.Equal("", Plan(0, images));
    }

    [Fact]
    public void Used_pinned_and_young_images_stay() =>
        Assert.Equal("", Plan(long.MaxValue, Stored("used", 30, inUse: true), Stored("pinned", 30, pinned: true), Stored("young", null, seenMinutesAgo: 1), Stored("just", 1)));

    [Fact]
    public async Task The_collector_never_removes_what_a_pod_of_the_node_names()
    {
        var (images, time, use, told) = (new FakeImages(), new ManualTime(), new ImageUse(), new List<string>());
        images.Have("docker.io/library/app:1");
        images.Have("docker.io/library/old:1");
        var pod = World.Pod("""{"containers":[{"name":"a","image":"app:1"}]}""");
        var collector = new ImageCollector(
            () => images, use, () => [pod], _ => new DiskRoom(1000, 100), (reason, _) => told.Add(reason), time, NullLogger<ImageCollector>.Instance);

        Assert.Equal(0, await collector.CollectAsync(everything: false, default));   // seen for the first time just now
        time.Advance(TimeSpan.FromMinutes(3));

        Assert.Equal(100, await collector.CollectAsync(everything: false, default));
        Assert.Equal(["docker.io/library/app:1"], (await images.ListAsync(default)).SelectMany(i => i.Names));
        Assert.Contains("FreeDiskSpaceFailed", told);
    }
}
