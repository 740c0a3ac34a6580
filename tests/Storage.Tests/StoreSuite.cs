using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

/// <summary>What every store must do. Run on each driver.</summary>
public abstract partial class StoreSuite : IAsyncLifetime
{
    private IStore? _store;

    protected IStore Store => _store!;

    /// <summary>Ends the reads of a test that waits for what does not come.</summary>
    private CancellationToken Deadline => _deadline.Token;

    private readonly CancellationTokenSource _deadline = new(Patience);

    protected abstract ValueTask<IStore> OpenAsync(StoreOptions options);

    public virtual async ValueTask InitializeAsync() => _store = await OpenAsync(new StoreOptions());

    public virtual async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        _deadline.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes a fresh store in place of the one there is.</summary>
    protected async Task ReopenAsync(StoreOptions options)
    {
        await Store.DisposeAsync();
        _store = await OpenAsync(options);
    }

    /// <summary>Opens the same store again, as after a restart. A driver without a disk leaves it as it is.</summary>
    protected async Task RestartAsync(StoreOptions options)
    {
        if (await RestartAsync(Store, options) is { } again)
            _store = again;
    }

    protected virtual ValueTask<IStore?> RestartAsync(IStore running, StoreOptions options) => ValueTask.FromResult<IStore?>(null);

    [Fact]
    public async Task A_new_store_has_a_revision_that_can_be_listed_and_watched_from()
    {
        Assert.Equal(1, Store.Revision);
        var page = await Store.ListAsync("/pods/");
        Assert.Equal((0, 1L, 0L), (page.Entries.Count, page.Revision, page.Remaining));

        await using var watch = Store.Watch("/pods/", page.Revision);
        await Store.PutAsync("/pods/a", "1");
        Assert.Equal(["2+/pods/a=1"], await watch.TakeAsync(1));
    }

    [Fact]
    public async Task A_put_is_read_back_with_its_revisions()
    {
        var created = await Store.PutAsync("/pods/a", "1");
        var changed = await Store.PutAsync("/pods/a", "2");
        var entry = Store.Get("/pods/a")!;

        Assert.Equal(("2", created, changed), (Text(entry), entry.CreateRevision, entry.ModRevision));
        Assert.Equal(changed, Store.Revision);
        Assert.Null(Store.Get("/pods/b"));
    }

    [Fact]
    public async Task A_key_that_comes_back_starts_a_new_life()
    {
        await Store.PutAsync("/pods/a", "1");
        await Store.DeleteAsync("/pods/a");
        Assert.Null(Store.Get("/pods/a"));
        var again = await Store.PutAsync("/pods/a", "2");

        Assert.Equal((again, again), (Store.Get("/pods/a")!.CreateRevision, Store.Get("/pods/a")!.ModRevision));
    }

    [Fact]
    public async Task A_failed_expectation_names_the_operation_and_what_is_there()
    {
        var revision = await Store.PutAsync("/pods/a", "1");

        var absent = await Store.CommitAsync(new[] { Op.Put("/pods/b", Bytes("1")), Op.Put("/pods/a", Bytes("2"), Expect.Absent) });
        Assert.Equal((false, 1, "1"), (absent.Succeeded, absent.FailedOperation, Text(absent.Current)));

        var stale = await Store.CommitAsync(new[] { Op.Delete("/pods/a", Expect.At(revision - 1)) });
        Assert.Equal((false, 0, revision), (stale.Succeeded, stale.FailedOperation, stale.Current!.ModRevision));

        var gone = await Store.CommitAsync(new[] { Op.Put("/pods/x", Bytes("1"), Expect.At(revision)) });
        Assert.False(gone.Succeeded);
        Assert.Null(gone.Current);

        Assert.Equal(revision, Store.Revision);
        Assert.Null(Store.Get("/pods/b"));
    }

    [Fact]
    public async Task Operations_of_a_commit_share_one_revision_and_one_batch()
    {
        await Store.PutAsync("/pods/a", "1");
        await using var watch = Store.Watch("/", 0);
        var result = await Store.CommitAsync(new[] { Op.Delete("/pods/a"), Op.Put("/pods/b", Bytes("2"), Expect.Absent), Op.Put("/nodes/n", Bytes("3")) });

        Assert.Equal([$"{result.Revision}-/pods/a(1)+/pods/b=2+/nodes/n=3"], await watch.TakeAsync(1));
    }

    [Fact]
    public async Task A_watch_sees_of_a_commit_only_what_is_below_its_prefix()
    {
        await using var live = Store.Watch("/pods/", Store.Revision);
        var result = await Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("1")), Op.Put("/nodes/n", Bytes("2")), Op.Put("/podsx/a", Bytes("3")) });
        await using var late = Store.Watch("/pods/", result.Revision - 1);

        Assert.Equal([$"{result.Revision}+/pods/a=1"], await live.TakeAsync(1));
        Assert.Equal([$"{result.Revision}+/pods/a=1"], await late.TakeAsync(1));
    }

    [Fact]
    public async Task A_commit_that_changes_nothing_takes_no_revision()
    {
        var before = await Store.PutAsync("/pods/a", "1");
        Assert.Equal(before, await Store.DeleteAsync("/pods/none"));
        Assert.Equal(before, Store.Revision);
    }

    [Fact]
    public async Task Malformed_commits_are_refused_with_the_reason()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CommitAsync(ReadOnlyMemory<Op>.Empty));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CommitAsync(new[] { Op.Put("", Bytes("1")) }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CommitAsync(new[] { Op.Put("/pods/\ud800", Bytes("1")) }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("1")), Op.Delete("/pods/a") }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.ListAsync("/pods"));
        var large = await Assert.ThrowsAsync<ValueTooLargeException>(async () => await Store.CommitAsync(new[] { Op.Put("/pods/a", new byte[2_000_000]) }));
        Assert.Equal((2_000_000, 1_572_864), (large.Size, large.Limit));
        Assert.Equal(1, Store.Revision);
    }

    [Fact]
    public async Task Lists_in_byte_order_page_by_page()
    {
        string[] keys = ["/k/B", "/k/a", "/k/a-b", "/k/a/c", "/k/é", "/k/\uffee", "/k/\U0001F600"];
        foreach (var key in keys.Reverse())
            await Store.PutAsync(key, key);

        Assert.Equal(keys, await Store.KeysAsync("/k/"));
        Assert.Equal(["/k/a/c"], await Store.KeysAsync("/k/a/"));
        Assert.Equal(7, Store.Count("/k/"));
        Assert.Equal(7, Store.Count(""));

        var read = new List<string>();
        string? after = null;
        do
        {
            var page = await Store.ListAsync("/k/", limit: 3, after: after);
            read.AddRange(page.Entries.Select(entry => entry.Key));
            Assert.Equal(keys.Length - read.Count, page.Remaining);
            after = page.Remaining > 0 ? read[^1] : null;
        }
        while (after is not null);

        Assert.Equal(keys, read);
    }

    [Theory]
    [InlineData(1)]     // the memory of the store holds almost nothing: the driver answers
    [InlineData(10_000)] // memory answers
    public async Task Old_revisions_are_read_as_they_were(int recentChanges)
    {
        await ReopenAsync(new StoreOptions { RecentChanges = recentChanges });
        var start = Store.Revision;
        var one = await Store.PutAsync("/pods/a", "1");
        var two = await Store.PutAsync("/pods/b", "2");
        var three = await Store.PutAsync("/pods/a", "3");
        var four = await Store.DeleteAsync("/pods/b");
        var five = await Store.PutAsync("/pods/b", "5");
        await Store.PutAsync("/nodes/n", "6");

        Assert.Empty(await Store.KeysAsync("/pods/", start));
        Assert.Equal(["/pods/a"], await Store.KeysAsync("/pods/", one));
        Assert.Equal(["/pods/a", "/pods/b"], await Store.KeysAsync("/pods/", three));
        Assert.Equal(["/pods/a"], await Store.KeysAsync("/pods/", four));
        Assert.Equal(["/pods/a", "/pods/b"], await Store.KeysAsync("/pods/", five));
        Assert.Equal("1", Text(await Store.GetAsync("/pods/a", two)));
        Assert.Equal("3", Text(await Store.GetAsync("/pods/a", four)));
        Assert.Equal("2", Text(await Store.GetAsync("/pods/b", three)));
        Assert.Equal("-", Text(await Store.GetAsync("/pods/b", four)));
        Assert.Equal("-", Text(await Store.GetAsync("/pods/b", one)));

        var page = await Store.ListAsync("/pods/", three, limit: 1);
        Assert.Equal((three, 1L), (page.Revision, page.Remaining));
        Assert.Equal((one, three), (page.Entries[0].CreateRevision, page.Entries[0].ModRevision));
        page = await Store.ListAsync("/pods/", three, limit: 1, after: "/pods/a");
        Assert.Equal(("/pods/b", "2", two, two), (page.Entries[0].Key, Text(page.Entries[0]), page.Entries[0].CreateRevision, page.Entries[0].ModRevision));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public async Task A_watch_from_an_old_revision_joins_the_live_one_without_seam(int recentChanges)
    {
        await ReopenAsync(new StoreOptions { RecentChanges = recentChanges });
        var start = Store.Revision;
        var one = await Store.PutAsync("/pods/a", "1");
        var two = await Store.PutAsync("/pods/a", "2");
        await Store.PutAsync("/nodes/n", "x");
        var three = await Store.DeleteAsync("/pods/a");
        await using var watch = Store.Watch("/pods/", start);
        await using var later = Store.Watch("/pods/", one);
        var four = await Store.PutAsync("/pods/a", "4");

        Assert.Equal([$"{one}+/pods/a=1", $"{two}+/pods/a=2", $"{three}-/pods/a(2)", $"{four}+/pods/a=4"], await watch.TakeAsync(4));
        Assert.Equal([$"{two}+/pods/a=2", $"{three}-/pods/a(2)", $"{four}+/pods/a=4"], await later.TakeAsync(3));
    }

    [Fact]
    public async Task Changes_carry_what_was_there_before()
    {
        await ReopenAsync(new StoreOptions { RecentChanges = 1 });
        var start = Store.Revision;
        await Store.PutAsync("/pods/a", "1");
        await Store.PutAsync("/pods/a", "2");
        await Store.DeleteAsync("/pods/a");
        await Store.PutAsync("/pods/a", "");
        await Store.PutAsync("/pods/a", "5");
        await using var watch = Store.Watch("/pods/", start);

        var seen = new List<string>();
        await foreach (var batch in watch.ReadAsync(Deadline))
        {
            seen.Add($"{Text(batch.Changes[0].Previous)}>{Text(batch.Changes[0].Current)}");
            if (seen.Count == 5)
                break;
        }

        Assert.Equal(["->1", "1>2", "2>-", "->", ">5"], seen);
    }

    [Fact]
    public async Task The_future_is_refused()
    {
        await Assert.ThrowsAsync<FutureRevisionException>(async () => await Store.GetAsync("/pods/a", 2));
        await Assert.ThrowsAsync<FutureRevisionException>(async () => await Store.ListAsync("/pods/", 2));
        await Assert.ThrowsAsync<FutureRevisionException>(async () => await Store.CompactAsync(2));
        Assert.Throws<FutureRevisionException>(() => Store.Watch("/pods/", 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public async Task Compaction_keeps_the_revision_it_names_and_refuses_those_below(int recentChanges)
    {
        await ReopenAsync(new StoreOptions { RecentChanges = recentChanges });
        await Store.PutAsync("/pods/a", "1");
        await Store.PutAsync("/pods/b", "1");
        var deleted = await Store.DeleteAsync("/pods/b");
        var kept = await Store.PutAsync("/pods/a", "2");
        var newest = await Store.PutAsync("/pods/a", "3");
        await Store.CompactAsync(kept);

        Assert.Equal(kept - 1, Store.CompactedRevision);
        Assert.Equal("2", Text(await Store.GetAsync("/pods/a", kept)));
        Assert.Equal(["/pods/a"], await Store.KeysAsync("/pods/", kept));
        Assert.Equal("3", Text(await Store.GetAsync("/pods/a", newest)));
        var refused = await Assert.ThrowsAsync<CompactedException>(async () => await Store.GetAsync("/pods/a", kept - 1));
        Assert.Equal((kept - 1, kept - 1), (refused.Requested, refused.Compacted));
        await Assert.ThrowsAsync<CompactedException>(async () => await Store.ListAsync("/pods/", deleted));
        Assert.Throws<CompactedException>(() => Store.Watch("/pods/", kept - 1));

        await using var watch = Store.Watch("/pods/", kept);
        Assert.Equal([$"{newest}+/pods/a=3"], await watch.TakeAsync(1));

        await Store.CompactAsync(kept - 2); // lower than before: nothing
        Assert.Equal(kept - 1, Store.CompactedRevision);
    }

    [Fact]
    public async Task A_read_of_an_old_revision_still_holds_its_entries_after_later_writes()
    {
        for (var i = 0; i < 500; i++)
            await Store.PutAsync($"/pods/{i:000}", "old");
        var page = await Store.ListAsync("/pods/");
        for (var i = 0; i < 500; i += 2)
            await Store.DeleteAsync($"/pods/{i:000}");
        await Store.PutAsync("/pods/001", "new");

        Assert.Equal(500, page.Entries.Count);
        Assert.All(page.Entries, entry => Assert.Equal("old", Text(entry)));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"/pods/{i:000}"), page.Entries.Select(entry => entry.Key));
        Assert.Equal("/pods/123", page.Entries[123].Key);
        Assert.Equal(250, Store.Count("/pods/"));
    }

    [Fact]
    public async Task Concurrent_creates_of_one_key_have_one_winner()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
            await Store.CommitAsync(new[] { Op.Put("/leases/leader", Bytes($"{i}"), Expect.Absent) }))));

        var winner = Assert.Single(results, result => result.Succeeded);
        Assert.All(results.Where(result => !result.Succeeded), result => Assert.Equal(winner.Revision, result.Current!.ModRevision));
        Assert.Equal(winner.Revision, Store.Get("/leases/leader")!.ModRevision);
    }

    [Fact]
    public async Task Compare_and_set_from_many_writers_loses_no_increment()
    {
        await Store.PutAsync("/counter", "0");
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < 25;)
            {
                var entry = Store.Get("/counter")!;
                var next = Bytes($"{int.Parse(Text(entry)) + 1}");
                if ((await Store.CommitAsync(new[] { Op.Put("/counter", next, Expect.At(entry.ModRevision)) })).Succeeded)
                    done++;
            }
        })));

        Assert.Equal("400", Text(Store.Get("/counter")));
    }

    [Fact]
    public async Task An_answered_write_is_in_the_next_read()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                var revision = await Store.PutAsync($"/pods/{writer}", $"{i}");
                Assert.True(Store.Revision >= revision);
                Assert.Equal($"{i}", Text(Store.Get($"/pods/{writer}")));
                Assert.Equal($"{i}", Text((await Store.ListAsync("/pods/")).Entries.Single(entry => entry.Key == $"/pods/{writer}")));
            }
        })));
    }

    [Fact]
    public async Task A_watch_ends_with_its_cancellation_its_disposal_or_its_store()
    {
        using var cancel = new CancellationTokenSource();
        await using var cancelled = Store.Watch("/pods/", 0);
        var reading = Task.Run(async () => await cancelled.ReadAsync(cancel.Token).GetAsyncEnumerator(cancel.Token).MoveNextAsync());
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Patience));

        var disposed = Store.Watch("/pods/", 0);
        var ending = Task.Run(async () => await disposed.ReadAsync().GetAsyncEnumerator().MoveNextAsync());
        await disposed.DisposeAsync();
        Assert.False(await ending.WaitAsync(Patience));

        await using var orphan = Store.Watch("/pods/", 0);
        var waiting = Task.Run(async () => await orphan.ReadAsync().GetAsyncEnumerator().MoveNextAsync());
        await Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await Store.PutAsync("/pods/a", "1"));
    }

    [Fact]
    public async Task Progress_tells_an_idle_watch_how_far_the_revision_is()
    {
        await using var watch = Store.Watch("/pods/", 0);
        await Store.PutAsync("/pods/a", "1");
        var other = await Store.PutAsync("/nodes/n", "1");
        watch.RequestProgress();

        using var deadline = new CancellationTokenSource(Patience);
        var seen = new List<(long Revision, int Changes)>();
        await foreach (var batch in watch.ReadAsync(deadline.Token))
        {
            seen.Add((batch.Revision, batch.Changes.Count));
            if (seen.Count == 2)
                break;
        }

        Assert.Equal([(other - 1, 1), (other, 0)], seen);
    }
}
