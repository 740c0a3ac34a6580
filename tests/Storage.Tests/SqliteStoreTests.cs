using Weft.Storage.Sqlite;

namespace Weft.Storage.Tests;

public sealed class SqliteStoreTests : StoreSuite
{
    private readonly TempFolder _folder = new();
    private int _files;

    protected override async ValueTask<IStore> OpenAsync(StoreOptions options)
    {
        _files++;
        return await OpenFileAsync(options);
    }

    protected override async ValueTask<IStore?> RestartAsync(IStore running, StoreOptions options)
    {
        await running.DisposeAsync();
        return await OpenFileAsync(options);
    }

    private Task<SqliteStore> OpenFileAsync(StoreOptions options) => SqliteStore.OpenAsync(
        new SqliteStoreOptions
        {
            Path = _folder.File($"store{_files}.db"),
            RecentChanges = options.RecentChanges,
            WatchBuffer = options.WatchBuffer,
            WatchBufferBytes = options.WatchBufferBytes,
            ProgressInterval = options.ProgressInterval,
            FailPoints = options.FailPoints,
            WriteOnCaller = options.WriteOnCaller,
            CompactionStep = 7, // several steps even in a small test
        },
        TimeProvider.System);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}
