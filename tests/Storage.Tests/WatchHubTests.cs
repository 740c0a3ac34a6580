using Weft.Storage.History;
using Weft.Storage.Memory;
using Weft.Storage.Tree;
using Weft.Storage.Watching;
using Weft.Storage.Writing;

namespace Weft.Storage.Tests;

public sealed class WatchHubTests
{
    [Fact]
    public async Task A_watch_that_leaves_twice_takes_nothing_from_the_next_one_of_its_prefix()
    {
        var start = new Snapshot(Node.Empty, 1);
        var recent = new RecentLog(start, 10, 1000);
        var published = new Published(start, compacted: 0);
        using var hub = new WatchHub(recent, published, new StoreOptions(), TimeProvider.System);
        using var driver = new MemoryDriver();

        var first = new StoreWatch("/pods/", 1, hub, driver, published);
        var group = hub.Join(first, 1).Group!;
        hub.Leave(first, group); // it had joined already, when it was made
        await first.DisposeAsync();
        await using var second = new StoreWatch("/pods/", 1, hub, driver, published);
        hub.Leave(first, group);

        var entry = new Entry("/pods/a", StoreWords.Bytes("1"), 2, 2);
        var after = new Snapshot(Node.Empty, 2);
        recent.Append(new Epoch([new ChangeBatch(2, [new Change(entry.Key, entry, null)])], after));
        published.Publish(after);
        hub.Wake();
        Assert.Equal(["2+/pods/a=1"], await second.TakeAsync(1));
    }
}
