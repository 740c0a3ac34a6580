using Weft.Storage.Sqlite;

namespace Weft.Storage.Tests;

/// <summary>kill -9 of a process in the middle of its work. WEFT_LONG=1 makes the 21 rounds 1,000.</summary>
public sealed class CrashTests
{
    private static readonly string[] Points = ["-", "BeforeCommit", "AfterCommit", "CompactionStart", "CompactionMarked", "CompactionStep", "Checkpoint"];

    [Fact]
    public async Task Kill_9_in_the_middle_of_writes_loses_no_acknowledged_one_and_the_revision_never_goes_back()
    {
        // etcd 13766, 14370, 14685, 17780
        var rounds = Environment.GetEnvironmentVariable("WEFT_LONG") == "1" ? 1000 : 21;
        var random = new Random(20260401);
        using var folder = new TempFolder();
        var path = folder.File("store.db");
        var ledger = new Ledger();

        for (var round = 0; round < rounds; round++)
        {
            List<string> lines;
            await using (var process = CrashProcess.Start("write", path, $"{round * 100}", Points[round % Points.Length], $"{random.Next(1, 40)}"))
                lines = await process.ReadUntilKilledAsync(random.Next(1, 1500));

            ledger.Read(lines);
            await using var store = await SqliteStore.OpenAsync(new SqliteStoreOptions { Path = path }, TimeProvider.System);
            await ledger.CheckAsync(store);
            await store.PutAsync("/between", $"{round}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_torn_end_of_the_log_costs_only_what_was_torn(int seed)
    {
        var random = new Random(seed);
        using var folder = new TempFolder();
        var path = folder.File("store.db");
        var ledger = new Ledger();
        await using (var process = CrashProcess.Start("log", path, $"{seed}", "-", "1"))
            ledger.Read(await process.ReadUntilKilledAsync(500));

        for (var cut = 0; cut < 8; cut++)
        {
            // A checkpoint syncs the log before it copies from it, so what can be torn has not been copied: here, nothing has. The same remains, torn anew each time: short, then with garbage at the end.
            var torn = folder.File($"torn{cut}.db");
            File.Copy(path, torn);
            var log = await File.ReadAllBytesAsync(path + "-wal");
            var keep = random.Next(log.Length / 2, log.Length);
            if (cut % 2 == 0)
                log = log[..keep];
            else
                random.NextBytes(log.AsSpan(keep, Math.Min(2000, log.Length - keep)));
            await File.WriteAllBytesAsync(torn + "-wal", log);

            await using var store = await SqliteStore.OpenAsync(new SqliteStoreOptions { Path = torn }, TimeProvider.System);
            await ledger.CheckBeginningAsync(store);
            var before = store.Revision;
            Assert.Equal(before + 1, await store.PutAsync("/after", "1"));
        }
    }

    [Fact]
    public async Task A_second_process_is_told_who_has_the_file()
    {
        using var folder = new TempFolder();
        var path = folder.File("store.db");
        await using (var first = CrashProcess.Start("open", path))
        {
            Assert.Equal("open 1 0", await first.ReadLineAsync());
            var refused = await Assert.ThrowsAsync<StoreOpenException>(() => SqliteStore.OpenAsync(new SqliteStoreOptions { Path = path }, TimeProvider.System));
            Assert.Equal($"'{path}' is in use by process {first.Id}: stop that process, or take another data directory", refused.Message);
        }

        // The lock went with the process.
        await using var store = await SqliteStore.OpenAsync(new SqliteStoreOptions { Path = path }, TimeProvider.System);
        await Assert.ThrowsAsync<StoreOpenException>(() => SqliteStore.OpenAsync(new SqliteStoreOptions { Path = path }, TimeProvider.System));
        await using var second = CrashProcess.Start("open", path);
        Assert.Contains($"in use by process {Environment.ProcessId}", await second.ReadLineAsync());
    }

    [Fact]
    public async Task A_write_that_the_kernel_refuses_ends_the_store_and_loses_nothing()
    {
        using var folder = new TempFolder();
        var path = folder.File("store.db");
        var ledger = new Ledger();

        // A limit on the size of files: the write-ahead log cannot grow, and the error (EFBIG) is not one of a full disk.
        string[] before = ["sh", "-c", "trap '' XFSZ; ulimit -f 1000; DOTNET_EnableWriteXorExecute=0 exec \"$@\"", "sh"];
        List<string> lines;
        await using (var process = CrashProcess.StartIn(before, "log", path, "1", "-", "1"))
            lines = await process.ReadUntilKilledAsync(int.MaxValue);

        Assert.StartsWith("failed the store cannot tell whether its last write is durable", lines.Single(line => line.StartsWith("failed", StringComparison.Ordinal)));
        ledger.Read(lines.Where(line => !line.StartsWith("failed", StringComparison.Ordinal)));
        Assert.True(ledger.Acknowledgements > 10);
        await using var store = await SqliteStore.OpenAsync(new SqliteStoreOptions { Path = path }, TimeProvider.System);
        await ledger.CheckAsync(store);
    }

    [Fact]
    public async Task A_full_disk_stops_writes_only_until_there_is_room()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, for a small file system of its own");
        using var folder = new TempFolder();

        // A mount namespace of its own: the file system goes with the process.
        string[] before = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "mount -t tmpfs -o size=4m none \"$0\" && exec \"$@\"", folder.Path];
        await using var process = CrashProcess.StartIn(before, "fill", folder.File("store.db"));
        var lines = new List<string>();
        while (await process.ReadLineAsync() is { } line)
            lines.Add(line);

        var written = lines.Count(line => line.StartsWith("ack", StringComparison.Ordinal));
        Assert.InRange(written, 10, 150);
        Assert.StartsWith($"full {written} False True the disk of the store is full; nothing was written, reads go on", lines[^2]);
        Assert.Equal($"again {written + 2} False", lines[^1]);
    }
}
