using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

public abstract partial class StoreSuite
{
    [Fact]
    public async Task Nothing_is_seen_or_answered_before_it_is_durable()
    {
        var gate = new Gate(FailPoint.BeforeCommit);
        await ReopenAsync(new StoreOptions { FailPoints = gate, WriteOnCaller = false });
        await using var watch = Store.Watch("/pods/", Store.Revision);
        var commit = Store.PutAsync("/pods/a", "1");
        var seen = watch.TakeAsync(1);
        await gate.Reached.WaitAsync(Patience);

        Assert.False(commit.IsCompleted || seen.IsCompleted);
        Assert.Equal((1L, "-", 0L), (Store.Revision, Text(Store.Get("/pods/a")), Store.Count("/pods/")));

        gate.Open();
        var revision = await commit.WaitAsync(Patience);
        Assert.Equal([$"{revision}+/pods/a=1"], await seen);
    }

    [Fact]
    public async Task Commits_of_one_group_see_each_other_and_one_that_fails_harms_no_other()
    {
        var gate = new Gate(FailPoint.BeforeCommit);
        await ReopenAsync(new StoreOptions { FailPoints = gate, WriteOnCaller = false });
        var first = Store.PutAsync("/pods/first", "1");
        await gate.Reached.WaitAsync(Patience);

        // All of these wait for the first, and are then one group.
        var create = Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("1"), Expect.Absent) });
        var again = Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("2"), Expect.Absent) });
        var next = Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("3"), Expect.At(3)) });
        var stale = Store.CommitAsync(new[] { Op.Put("/pods/b", Bytes("4")), Op.Delete("/pods/a", Expect.At(3)) });
        var last = Store.CommitAsync(new[] { Op.Delete("/pods/a", Expect.At(4)) });
        gate.Open();

        Assert.Equal(2, await first);
        Assert.Equal(3, (await create).Revision);
        Assert.Equal((false, 0), await FailedAsync(again));
        Assert.Equal(4, (await next).Revision);
        Assert.Equal((false, 1), await FailedAsync(stale));
        Assert.Equal(5, (await last).Revision);
        Assert.Equal(["/pods/first"], await Store.KeysAsync("/pods/"));
    }

    [Fact]
    public async Task A_full_disk_refuses_writes_and_nothing_else()
    {
        var fail = new FailAt();
        await ReopenAsync(new StoreOptions { FailPoints = fail });
        var revision = await Store.PutAsync("/pods/a", "1");
        await using var watch = Store.Watch("/pods/", revision);
        fail.When(point => point == FailPoint.BeforeCommit ? new DiskFullException("the disk of the store is full") : null);

        await Assert.ThrowsAsync<StoreReadOnlyException>(async () => await Store.PutAsync("/pods/a", "2"));
        await Assert.ThrowsAsync<StoreReadOnlyException>(async () => await Store.DeleteAsync("/pods/a"));
        Assert.False((await Store.CommitAsync(new[] { Op.Put("/pods/a", Bytes("2"), Expect.Absent) })).Succeeded);
        Assert.Equal(("1", revision), (Text(Store.Get("/pods/a")), Store.Revision));
        Assert.True(((LocalStore)Store).IsReadOnly);

        fail.When(null);
        Assert.Equal(revision + 1, await Store.PutAsync("/pods/a", "3"));
        Assert.False(((LocalStore)Store).IsReadOnly);
        Assert.Equal([$"{revision + 1}+/pods/a=3"], await watch.TakeAsync(1));
    }

    [Fact]
    public async Task The_first_write_after_a_restart_leaves_what_was_read_before_it_alone()
    {
        for (var i = 0; i < 200; i++)
            await Store.PutAsync($"/pods/{i:000}", "old");
        var fail = new FailAt();
        await RestartAsync(new StoreOptions { FailPoints = fail });
        var before = await Store.ListAsync("/pods/");
        fail.When(point => point == FailPoint.BeforeCommit ? new DiskFullException("the disk of the store is full") : null);

        var refused = Store.CommitAsync(new[] { Op.Put("/pods/100", Bytes("new")), Op.Delete("/pods/150"), Op.Put("/pods/0500", Bytes("new")) });
        if (Store is Sqlite.SqliteStore)
            await Assert.ThrowsAsync<StoreReadOnlyException>(async () => await refused);
        else
            await refused; // nothing to restart from: it went on
        Assert.Equal(Enumerable.Repeat("old", 200), before.Entries.Select(Text));
        Assert.Equal(200, before.Entries.Count);

        fail.When(null);
        await Store.PutAsync("/pods/050", "new");
        Assert.Equal("old", Text(before.Entries[50]));
        Assert.Equal("old", Text(await Store.GetAsync("/pods/050", before.Revision)));
    }

    [Theory]
    [InlineData(FailPoint.BeforeCommit)]
    [InlineData(FailPoint.AfterCommit)]
    public async Task An_error_that_leaves_a_write_in_doubt_ends_all_writing(FailPoint where)
    {
        var fail = new FailAt();
        await ReopenAsync(new StoreOptions { FailPoints = fail });
        var revision = await Store.PutAsync("/pods/a", "1");
        fail.When(point => point == where ? new IOException("fsync: Input/output error") : null);

        var commits = Enumerable.Range(0, 20).Select(i => Store.CommitAsync(new[] { Op.Put($"/pods/{i}", Bytes("2")) }).AsTask()).ToList();
        foreach (var commit in commits)
            await Assert.ThrowsAsync<StoreFailedException>(() => commit.WaitAsync(Patience));
        fail.When(null);
        var reason = await ((LocalStore)Store).Failed.WaitAsync(Patience);

        Assert.Contains("fsync: Input/output error", reason.Message);
        Assert.Equal(1, fail.Hits); // not tried again
        await Assert.ThrowsAsync<StoreFailedException>(async () => await Store.PutAsync("/pods/b", "1"));
        await Assert.ThrowsAsync<StoreFailedException>(async () => await Store.CompactAsync(revision));
        Assert.Equal("1", Text(Store.Get("/pods/a")));
    }

    private static async Task<(bool, int)> FailedAsync(ValueTask<CommitResult> commit)
    {
        var result = await commit;
        return (result.Succeeded, result.FailedOperation);
    }

    /// <summary>Holds the writer at a point, the first time it comes there.</summary>
    private sealed class Gate(FailPoint at) : IFailPoints
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new();

        public Task Reached => _reached.Task;

        public void Open() => _open.TrySetResult();

        public void Hit(FailPoint point)
        {
            if (point == at && _reached.TrySetResult())
                _open.Task.Wait(Patience);
        }
    }
}
