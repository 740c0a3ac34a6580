using Weft.Storage.Sqlite;

namespace Weft.Storage.Tests;

public sealed class SqliteStoreTests : StoreSuite
{
    private readonly TempFolder _folder = new();
    private int _files;

    protected override async ValueTask<IStore> OpenAsync(StoreOptions options) =>
        await SqliteStore.OpenAsync(
            new SqliteStoreOptions { Path = _folder.File($"store{_files++}.db"), RecentChanges = options.RecentChanges, WatchBuffer = options.WatchBuffer, FailPoints = options.FailPoints },
            TimeProvider.System);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}
