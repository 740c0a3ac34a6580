using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Storage.Sqlite;

namespace Weft.Bench.Micro.Storage;

/// <summary>What a commit, a get, a list and a watch may allocate. Objects have 1 KB, as in the measurements of kube-apiserver with etcd.</summary>
internal static class StorageBudgets
{
    // As many ConfigMaps as kube-apiserver was measured with.
    private const int Objects = 13_448;
    private const int Clients = 64;

    private static readonly byte[] Value = new byte[1024];

    public static IEnumerable<Budget> All =>
    [
        // What a commit keeps: entry, change, batch, epoch, its share of copied tree nodes; and the tasks of the 64 clients.
        new("storage: create in memory, 64 clients", 1900, 100_000, CreateInMemoryAsync),
        new("storage: create in SQLite (durable), 64 clients", 1400, 30_000, CreateInSqliteAsync),
        new("storage: create in SQLite (durable), 1 client", 3000, 500, count => CreateInFileAsync(count, clients: 1)),
        new("storage: update in memory, 1 client", 2700, 50_000, UpdateAsync),
        new("storage: get", 0, 1_000_000, GetAsync),
        new($"storage: list {Objects} objects and walk them", 300, 500, ListAsync),
        new("storage: page of 500 of an old revision in memory", 300, 2000, PageOfOldRevisionAsync),
        new("storage: change delivered to 100 watches", 1600, 5000, WatchAsync),
    ];

    private static async Task CreateInMemoryAsync(int count)
    {
        await using var store = new MemoryStore(TimeProvider.System);
        await CreateAsync(store, count, Clients);
    }

    private static Task CreateInSqliteAsync(int count) => CreateInFileAsync(count, Clients);

    private static async Task CreateInFileAsync(int count, int clients)
    {
        var folder = Directory.CreateTempSubdirectory("weft-bench-");
        try
        {
            await using var store = await SqliteStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(folder.FullName, "store.db") }, TimeProvider.System);
            await CreateAsync(store, count, clients);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Task CreateAsync(LocalStore store, int count, int clients) => Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
    {
        for (var i = 0; i < count / clients; i++)
            await store.CommitAsync(new[] { Op.Put($"/configmaps/default/c{client}-{i}", Value, Expect.Absent) });
    })));

    private static async Task UpdateAsync(int count)
    {
        var store = await Filled.Value;
        for (var i = 0; i < count; i++)
            await store.CommitAsync(new[] { Op.Put($"/configmaps/default/c{i % 64}-1", Value) });
    }

    private static async Task GetAsync(int count)
    {
        var store = await Filled.Value;
        var key = "/configmaps/default/c5-5";
        for (var i = 0; i < count; i++)
        {
            if (store.Get(key) is null)
                throw new InvalidOperationException();
        }
    }

    private static async Task ListAsync(int count)
    {
        var store = await Filled.Value;
        for (var i = 0; i < count; i++)
        {
            long bytes = 0;
            foreach (var entry in (await store.ListAsync("/configmaps/")).Entries)
                bytes += entry.Value.Length;
            if (bytes < Objects * 1000)
                throw new InvalidOperationException();
        }
    }

    private static async Task PageOfOldRevisionAsync(int count)
    {
        var store = await Filled.Value;
        for (var i = 0; i < count; i++)
            await store.ListAsync("/configmaps/", store.Revision - 100, limit: 500);
    }

    private static async Task WatchAsync(int count)
    {
        await using var store = new MemoryStore(TimeProvider.System);
        var watches = Enumerable.Range(0, 100).Select(_ => store.Watch("/configmaps/", store.Revision)).ToList();
        var readers = watches.Select(watch => Task.Run(async () =>
        {
            var seen = 0;
            await foreach (var batch in watch.ReadAsync())
            {
                seen += batch.Changes.Count;
                if (seen == count)
                    return;
            }
        })).ToList();
        for (var i = 0; i < count; i++)
            await store.CommitAsync(new[] { Op.Put("/configmaps/default/a", Value) });
        await Task.WhenAll(readers);
    }

    // Made once, so that it is in no measurement but the warm-up of the first.
    private static readonly Lazy<Task<MemoryStore>> Filled = new(async () =>
    {
        var store = new MemoryStore(TimeProvider.System);
        await CreateAsync(store, Objects + Clients, Clients);
        return store;
    });
}
