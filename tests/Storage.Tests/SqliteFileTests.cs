using Weft.Storage.Sqlite;
using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

public sealed class SqliteFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Path => _folder.File("store.db");

    public void Dispose() => _folder.Dispose();

    private Task<SqliteStore> OpenAsync(SqliteStoreOptions? options = null) =>
        SqliteStore.OpenAsync((options ?? new SqliteStoreOptions { Path = "" }) with { Path = Path }, TimeProvider.System);

    [Fact]
    public async Task Everything_is_there_after_a_restart()
    {
        await using (var store = await OpenAsync())
        {
            for (var i = 0; i < 300; i++)
                await store.PutAsync($"/pods/{i % 100:000}", $"{i}");
            await store.DeleteAsync("/pods/050");
            await store.PutAsync("/empty/a", "");
            await store.CompactAsync(150);
        }

        await using (var store = await OpenAsync())
        {
            Assert.Equal((303, 149, 100), (store.Revision, store.CompactedRevision, store.Count("")));
            Assert.Equal(("299", 101L, 301L), (Text(store.Get("/pods/099")), store.Get("/pods/099")!.CreateRevision, store.Get("/pods/099")!.ModRevision));
            Assert.Equal("", Text(store.Get("/empty/a")));
            Assert.Equal("250", Text(await store.GetAsync("/pods/050", 301)));
            await Assert.ThrowsAsync<CompactedException>(async () => await store.GetAsync("/pods/050", 149));
        }
    }

    [Fact]
    public async Task Nobody_else_may_read_the_files()
    {
        await File.WriteAllTextAsync(Path, "");
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        await using var store = await OpenAsync();
        await store.PutAsync("/secrets/a", "1");

        foreach (var file in Directory.GetFiles(_folder.Path))
            Assert.Equal((file, UnixFileMode.UserRead | UnixFileMode.UserWrite), (file, File.GetUnixFileMode(file)));
        Assert.Equal(4, Directory.GetFiles(_folder.Path).Length);
    }

    [Fact]
    public void Each_commit_is_synced_and_nothing_else_writes_the_file()
    {
        using var connection = new Connection(Path, create: true);
        FileFormat.Prepare(connection, Path, new SqliteStoreOptions { Path = Path });

        // sqlite.org/pragma.html: 2 is FULL; 2 is INCREMENTAL.
        Assert.Equal((2L, 0L, 2L), (connection.Execute("PRAGMA synchronous"), connection.Execute("PRAGMA wal_autocheckpoint"), connection.Execute("PRAGMA auto_vacuum")));
        Assert.Equal("wal", connection.ExecuteText("PRAGMA journal_mode"));
    }

    [Fact]
    public async Task A_file_of_a_newer_format_is_refused()
    {
        await (await OpenAsync()).DisposeAsync();
        using (var connection = new Connection(Path, create: false))
            connection.Execute("PRAGMA user_version = 7");

        var refused = await Assert.ThrowsAsync<StoreOpenException>(() => OpenAsync());
        Assert.Equal($"'{Path}' has format 7, written by a newer Weft; this one reads up to format 1: start the newer version, or move the file away", refused.Message);
    }

    [Fact]
    public async Task A_file_of_something_else_is_refused_and_left_alone()
    {
        using (var connection = new Connection(Path, create: true))
            connection.Execute("CREATE TABLE mine (a)");
        var before = await File.ReadAllBytesAsync(Path);
        Assert.Contains("not one of Weft", (await Assert.ThrowsAsync<StoreOpenException>(() => OpenAsync())).Message);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path));

        await File.WriteAllTextAsync(Path, new string('x', 5000));
        Assert.Contains("damaged or not a store", (await Assert.ThrowsAsync<StoreOpenException>(() => OpenAsync())).Message);
    }

    [Fact]
    public async Task A_path_that_cannot_be_is_refused_in_a_sentence()
    {
        await File.WriteAllTextAsync(_folder.File("file"), "");
        var refused = await Assert.ThrowsAsync<StoreOpenException>(() =>
            SqliteStore.OpenAsync(new SqliteStoreOptions { Path = System.IO.Path.Combine(_folder.File("file"), "store.db") }, TimeProvider.System));
        Assert.Contains("cannot be opened", refused.Message);
    }

    [Fact]
    public async Task Compaction_bounds_the_file_while_the_same_keys_are_written_again_and_again()
    {
        await using var store = await OpenAsync(new SqliteStoreOptions { Path = "", CheckpointPages = 200, MaxLogPages = 800 });
        var value = new byte[4000];
        for (var i = 0; i < 200; i++)
        {
            // 40 MB in all
            await Task.WhenAll(Enumerable.Range(0, 50).Select(k => store.CommitAsync(new[] { Op.Put($"/pods/{k}", value) }).AsTask()));
            await store.CompactAsync(store.Revision);
        }

        Assert.InRange(new FileInfo(Path).Length, 1, 6 * 1024 * 1024);
        Assert.InRange(new FileInfo(Path + "-wal").Length, 1, 6 * 1024 * 1024);
    }

    [Fact]
    public async Task Space_goes_back_to_the_disk_after_a_burst()
    {
        long large;
        await using (var store = await OpenAsync())
        {
            for (var i = 0; i < 40; i++)
                await Task.WhenAll(Enumerable.Range(0, 25).Select(k => store.CommitAsync(new[] { Op.Put($"/pods/{i}/{k}", new byte[40_000]) }).AsTask()));
        }

        large = new FileInfo(Path).Length;
        await using (var store = await OpenAsync())
        {
            foreach (var key in await store.KeysAsync("/pods/"))
                await store.DeleteAsync(key);
            await store.CompactAsync(store.Revision);
            Assert.Empty(await store.KeysAsync(""));
        }

        Assert.InRange(large, 40_000_000, 60_000_000);
        Assert.InRange(new FileInfo(Path).Length, 1, 20_000_000);
        await using (var store = await OpenAsync())
            Assert.Equal(2001, store.Revision);
    }

    [Fact]
    public async Task The_log_starts_anew_even_when_commits_never_pause()
    {
        await using var store = await OpenAsync(new SqliteStoreOptions { Path = "", CheckpointPages = 20, MaxLogPages = 100 });
        long largest = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await store.CommitAsync(new[] { Op.Put($"/pods/{writer}/{i}", new byte[3000]) });
                if (i % 50 == 0)
                    InterlockedMax(ref largest, new FileInfo(Path + "-wal").Length);
            }
        })));

        Assert.InRange(largest, 1, 3 * 1024 * 1024);
    }

    [Fact]
    public async Task A_file_that_may_not_grow_is_read_only_until_compaction_makes_room()
    {
        await using var store = await OpenAsync(new SqliteStoreOptions { Path = "", MaxFilePages = 300 });
        var value = new byte[10_000];
        var full = await Assert.ThrowsAsync<StoreReadOnlyException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
                await store.CommitAsync(new[] { Op.Put("/pods/a", value) });
        });
        Assert.Contains("make room", full.Message);
        Assert.True(store.IsReadOnly);
        Assert.Equal(10_000, store.Get("/pods/a")!.Value.Length);
        Assert.False(store.Failed.IsCompleted);

        await store.CompactAsync(store.Revision);
        await store.CommitAsync(new[] { Op.Put("/pods/a", value) });
        Assert.False(store.IsReadOnly);
    }

    private static void InterlockedMax(ref long target, long value)
    {
        for (var seen = Volatile.Read(ref target); value > seen;)
        {
            var before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
