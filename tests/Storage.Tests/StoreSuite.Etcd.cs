using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

/// <summary>
/// The consistency bugs etcd has published in the track record of its robustness tests, as far as they can happen to one store.
/// Not here: 13766 and 14370 (crash under load, lost write: <see cref="CrashTests"/>), 14571 (authorisation: this store has none).
/// </summary>
public abstract partial class StoreSuite
{
    [Fact]
    public async Task Etcd_14685_a_failure_while_space_is_given_back_leaves_the_revision_consistent()
    {
        var fail = new FailAt();
        await ReopenAsync(new StoreOptions { FailPoints = fail });
        for (var i = 0; i < 40; i++)
            await Store.PutAsync($"/pods/{i % 5}", $"{i}");
        var newest = Store.Revision;

        fail.When(point => point == FailPoint.CompactionMarked ? new DiskFullException("no space") : null);
        await Assert.ThrowsAsync<StoreReadOnlyException>(async () => await Store.CompactAsync(newest));
        fail.When(null);
        await RestartAsync(new StoreOptions());

        Assert.Equal((newest, newest - 1), (Store.Revision, Store.CompactedRevision));
        Assert.Equal(["35", "36", "37", "38", "39"], (await Store.ListAsync("/pods/")).Entries.Select(Text));
        Assert.Equal(newest + 1, await Store.PutAsync("/pods/0", "new"));
    }

    [Fact]
    public async Task Etcd_15220_progress_never_overtakes_a_change()
    {
        await using var watch = Store.Watch("/pods/", Store.Revision);
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 400; i++)
            {
                await Store.PutAsync(i % 3 == 0 ? "/pods/a" : "/nodes/n", $"{i}");
                watch.RequestProgress();
            }

            // A reader that comes late has one answer to all of these.
            await heard.Task;
            await Store.PutAsync("/pods/end", "1");
        });

        long told = 0;
        await foreach (var batch in watch.ReadAsync(Deadline))
        {
            Assert.True(batch.Changes.Count == 0 ? batch.Revision >= told : batch.Revision > told, $"{batch.Revision} after {told}");
            told = batch.Revision;
            if (batch.Changes.Count == 0)
                heard.TrySetResult();
            if (batch.Changes.Count > 0 && batch.Changes[0].Key == "/pods/end")
                break;
        }

        await writing;
    }

    [Fact]
    public async Task Etcd_15271_a_watch_that_resumes_does_not_travel_back_in_time()
    {
        for (var i = 0; i < 10; i++)
            await Store.PutAsync("/pods/a", $"{i}");
        long last;
        await using (var first = Store.Watch("/pods/", 3))
            last = long.Parse((await first.TakeAsync(4))[^1].Split('+')[0]);
        await RestartAsync(new StoreOptions { RecentChanges = 1 });

        await using var resumed = Store.Watch("/pods/", last);
        Assert.Equal([$"{last + 1}+/pods/a=6", $"{last + 2}+/pods/a=7", $"{last + 3}+/pods/a=8", $"{last + 4}+/pods/a=9"], await resumed.TakeAsync(4));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public async Task Etcd_17247_a_commit_of_several_operations_is_delivered_once(int recentChanges)
    {
        await ReopenAsync(new StoreOptions { RecentChanges = recentChanges });
        var start = Store.Revision;
        await using var live = Store.Watch("/pods/", start);
        var one = (await Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("1")), Op.Put("/pods/b", Bytes("1")) })).Revision;
        var failed = await Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("x")), Op.Put("/pods/b", Bytes("x"), Expect.Absent) });
        var two = (await Store.CommitAsync(new[] { Op.Delete("/pods/a"), Op.Delete("/pods/b"), Op.Delete("/pods/none") })).Revision;
        await Store.PutAsync("/pods/end", "1");
        await using var late = Store.Watch("/pods/", start);

        Assert.False(failed.Succeeded);
        string[] expected = [$"{one}+/pods/a=1+/pods/b=1", $"{two}-/pods/a(1)-/pods/b(1)", $"{two + 1}+/pods/end=1"];
        Assert.Equal(expected, await live.TakeAsync(3));
        Assert.Equal(expected, await late.TakeAsync(3));
    }

    [Fact]
    public async Task Etcd_17529_a_starved_reader_gets_an_error_and_never_a_hole()
    {
        await ReopenAsync(new StoreOptions { WatchBuffer = 32 });
        await using var watch = Store.Watch("/pods/", Store.Revision);
        await using var reader = watch.ReadAsync(Deadline).GetAsyncEnumerator();
        var first = await Store.PutAsync("/pods/a", "0");
        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(first, reader.Current.Revision);

        for (var i = 0; i < 1000; i++)
            await Store.PutAsync("/pods/a", $"{i}");

        var last = first;
        var expired = await Assert.ThrowsAsync<WatchExpiredException>(async () =>
        {
            while (await reader.MoveNextAsync())
            {
                Assert.Equal(last + 1, reader.Current.Revision);
                last = reader.Current.Revision;
                if (last >= first + 1000)
                    break;
            }
        });
        Assert.Equal(last, expired.LastDelivered);

        await using var again = Store.Watch("/pods/", expired.LastDelivered);
        Assert.StartsWith($"{last + 1}+", (await again.TakeAsync(1))[0]);
    }

    [Fact]
    public async Task Etcd_17780_the_revision_does_not_go_back_when_the_newest_change_is_compacted()
    {
        await Store.PutAsync("/pods/a", "1");
        var deleted = await Store.DeleteAsync("/pods/a");
        await Store.CompactAsync(deleted);
        await RestartAsync(new StoreOptions());

        Assert.Equal(deleted, Store.Revision);
        Assert.Equal(deleted + 1, await Store.PutAsync("/pods/b", "1"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public async Task Etcd_18089_compacting_on_a_deletion_drops_no_event(int recentChanges)
    {
        await ReopenAsync(new StoreOptions { RecentChanges = recentChanges });
        await Store.PutAsync("/pods/a", "1");
        var before = await Store.PutAsync("/pods/b", "1");
        var deleted = await Store.DeleteAsync("/pods/a");
        await using var live = Store.Watch("/pods/", before);
        await Store.CompactAsync(deleted);
        var after = await Store.PutAsync("/pods/b", "2");

        // Either the deletion is delivered, or the watch ends with an error: what must not happen is that it goes on without it.
        try
        {
            Assert.Equal([$"{deleted}-/pods/a(1)", $"{after}+/pods/b=2"], await live.TakeAsync(2));
        }
        catch (CompactedException compacted)
        {
            Assert.Equal(deleted - 1, compacted.Compacted);
        }

        await using var kept = Store.Watch("/pods/", deleted);
        Assert.Equal([$"{after}+/pods/b=2"], await kept.TakeAsync(1));
    }

    [Fact]
    public async Task Etcd_18667_a_read_of_a_compacted_revision_is_refused_whatever_else_is_asked()
    {
        var old = await Store.PutAsync("/pods/a", "1");
        var newest = await Store.PutAsync("/pods/a", "2");
        await Store.CompactAsync(newest);

        await Assert.ThrowsAsync<CompactedException>(async () => await Store.GetAsync("/pods/none", old));
        await Assert.ThrowsAsync<CompactedException>(async () => await Store.ListAsync("/none/", old, limit: 1, after: "/none/x"));
        var stale = await Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("3"), Expect.At(old)) });
        Assert.Equal((false, newest), (stale.Succeeded, Store.Revision));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public async Task Etcd_19179_a_watch_opened_where_history_was_compacted_is_refused_or_complete(int recentChanges)
    {
        await ReopenAsync(new StoreOptions { RecentChanges = recentChanges });
        await Store.PutAsync("/pods/a", "1");
        var deleted = await Store.DeleteAsync("/pods/a");
        await Store.PutAsync("/pods/b", "1");
        await Store.CompactAsync(deleted);

        // From just before the deletion: it may be gone, so the watch is refused. From the deletion on: complete.
        Assert.Throws<CompactedException>(() => Store.Watch("/pods/", deleted - 1));
        await using var watch = Store.Watch("/pods/", deleted);
        Assert.Equal([$"{deleted + 1}+/pods/b=1"], await watch.TakeAsync(1));
    }

    [Fact]
    public async Task Etcd_20221_a_watch_on_a_future_revision_gets_no_old_change()
    {
        await Store.PutAsync("/pods/a", "1");
        var future = Assert.Throws<FutureRevisionException>(() => Store.Watch("/pods/", Store.Revision + 10));
        Assert.Equal((Store.Revision + 10, Store.Revision), (future.Requested, future.Current));
    }
}
