using Weft.Storage.Memory;

namespace Weft.Storage.Tests;

public sealed class MemoryStoreTests : StoreSuite
{
    protected override ValueTask<IStore> OpenAsync(StoreOptions options) => ValueTask.FromResult<IStore>(new MemoryStore(TimeProvider.System, options));
}
