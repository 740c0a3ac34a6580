using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

public abstract partial class StoreSuite
{
    [Fact]
    public async Task A_thousand_watches_see_every_change_once_and_in_order()
    {
        const int watches = 1000, writes = 300;
        var running = Enumerable.Range(0, watches).Select(i => Store.Watch($"/pods/ns{i % 10}/", Store.Revision)).ToList();
        var readers = running.Select((watch, i) => Task.Run(async () =>
        {
            var seen = new List<string>();
            await foreach (var batch in watch.ReadAsync(Deadline))
            {
                foreach (var change in batch.Changes)
                    seen.Add(Text(change.Current));
                if (seen.Count > 0 && seen[^1] == "end")
                    break;
            }

            return seen;
        })).ToList();

        await Task.WhenAll(Enumerable.Range(0, 10).Select(ns => Task.Run(async () =>
        {
            for (var i = 0; i < writes / 10; i++)
                await Store.PutAsync($"/pods/ns{ns}/p{i}", $"{i}");
            await Store.PutAsync($"/pods/ns{ns}/last", "end");
        })));

        var expected = Enumerable.Range(0, writes / 10).Select(i => $"{i}").Append("end").ToList();
        foreach (var seen in await Task.WhenAll(readers).WaitAsync(Patience))
            Assert.Equal(expected, seen);
        foreach (var watch in running)
            await watch.DisposeAsync();
    }

    [Fact]
    public async Task A_slow_watch_holds_bounded_memory_and_delays_no_other()
    {
        const int size = 64 * 1024, writes = 2000; // 125 MB pass by
        await ReopenAsync(new StoreOptions { RecentChanges = 64, WatchBuffer = 256, WatchBufferBytes = 4 * 1024 * 1024 });
        var stuck = Enumerable.Range(0, 50).Select(_ => Store.Watch("/pods/", Store.Revision)).ToList();
        var stuckReaders = stuck.Select(watch => watch.ReadAsync(Deadline).GetAsyncEnumerator()).ToList();
        var pending = stuckReaders.Select(reader => reader.MoveNextAsync().AsTask()).ToList(); // each is given one change, and asks for no more

        await using var fast = Store.Watch("/pods/", Store.Revision);
        await using var fastReader = fast.ReadAsync(Deadline).GetAsyncEnumerator();
        var values = new List<WeakReference>();
        for (var i = 0; i < writes; i++)
        {
            await PutLargeAsync(values, size);
            Assert.True(await fastReader.MoveNextAsync().AsTask().WaitAsync(Patience));
            Assert.Equal(Store.Revision, fastReader.Current.Revision);
        }

        Assert.All(await Task.WhenAll(pending), Assert.True);
        await Store.CompactAsync(Store.Revision); // the memory driver keeps its history there, too
        GC.Collect();
        // 64 of the recent log, 64 of the buffer (4 MB), and a few in hands.
        var held = values.Count(value => value.IsAlive);
        Assert.True(held < 300, $"{held} of {writes} values are held for readers that do not read");

        foreach (var reader in stuckReaders)
        {
            await Assert.ThrowsAsync<WatchExpiredException>(async () =>
            {
                while (await reader.MoveNextAsync())
                {
                    // what was handed out before it fell behind
                }
            });
        }
    }

    // A method of its own, so that no variable of the test holds a value.
    private async Task PutLargeAsync(List<WeakReference> values, int size)
    {
        var value = new byte[size];
        values.Add(new WeakReference(value));
        await Store.CommitAsync(new[] { Op.Put("/pods/a", value) });
    }

    [Fact]
    public async Task Watches_that_come_and_go_leave_nothing_behind()
    {
        for (var i = 0; i < 200; i++)
        {
            await using var watch = Store.Watch($"/pods/{i}/", Store.Revision);
            await Store.PutAsync($"/pods/{i}/a", "1");
            Assert.Single(await watch.TakeAsync(1));
        }

        Assert.Equal(0, ((LocalStore)Store).WatchedPrefixes);
    }

    [Fact]
    public async Task Watches_started_in_the_middle_of_writes_lose_and_repeat_nothing()
    {
        await ReopenAsync(new StoreOptions { RecentChanges = 50 }); // old ones come from the driver
        var start = Store.Revision;
        const int writers = 4, each = 150;
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
                await Store.PutAsync($"/pods/{writer}", $"{i}");
        })));

        var readers = new List<Task>();
        for (var i = 0; i < 20; i++)
        {
            var after = start + (Store.Revision - start) / (1 + (i % 4));
            if (after == start + (writers * each))
                break; // all was written before this one came: nothing is left to see
            readers.Add(Task.Run(async () =>
            {
                await using var watch = Store.Watch("/pods/", after);
                var next = after;
                await foreach (var batch in watch.ReadAsync(Deadline))
                {
                    if (batch.Changes.Count == 0)
                        continue;
                    Assert.Equal(++next, batch.Revision);
                    if (next == start + (writers * each))
                        break;
                }
            }));
            await Task.Yield();
        }

        await writing;
        await Task.WhenAll(readers).WaitAsync(Patience);
    }

    [Fact]
    public async Task An_idle_watch_is_told_the_progress_of_others_without_asking()
    {
        await ReopenAsync(new StoreOptions { ProgressInterval = TimeSpan.FromMilliseconds(20) });
        await using var watch = Store.Watch("/pods/", Store.Revision);
        var other = await Store.PutAsync("/nodes/n", "1");

        using var deadline = new CancellationTokenSource(Patience);
        await foreach (var batch in watch.ReadAsync(deadline.Token))
        {
            Assert.Empty(batch.Changes);
            if (batch.Revision == other)
                break;
        }
    }
}
