using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Schemas;
using Weft.ApiServer.CustomResources;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.CustomResources;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Registry;

/// <summary>Lists and the watch reach the catalog in any order: what is older changes nothing.</summary>
public sealed class CatalogOrderTests : IAsyncLifetime
{
    private const string Key = "/registry/apiextensions.k8s.io/customresourcedefinitions/things.example.com";

    private readonly MemoryStore _store = new(TimeProvider.System);
    private readonly SlowStore _slow;
    private readonly ResourceCatalog _catalog;

    public CatalogOrderTests()
    {
        _slow = new SlowStore(_store);
        _catalog = ResourceCatalog.Create(_slow, new SchemaReader(), TimeProvider.System, NullLoggerFactory.Instance);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private bool IsServed => _catalog.Current.Find("example.com", "v1", "things") is not null;

    private async Task PutAsync()
    {
        var tree = (JsonObject)JsonNode.Parse(CustomServer.Things("""{"type":"object"}"""))!;
        tree = CrdConditions.Plan(tree, [], _ => [], TimeProvider.System.GetUtcNow())!;
        await _store.CommitAsync(new[] { Op.Put(Key, Envelope.Write(tree, "v1", 0)) });
    }

    [Fact]
    public async Task A_list_that_was_read_before_another_does_not_take_it_back()
    {
        var gate = _slow.HoldNextList();
        var older = _catalog.LoadAsync(default).AsTask();
        await PutAsync();
        await _catalog.LoadAsync(default);
        Assert.True(IsServed);

        gate.SetResult();
        await older;
        Assert.True(IsServed);
    }

    [Fact]
    public async Task A_change_that_a_list_has_overtaken_does_not_take_it_back()
    {
        using var stop = new CancellationTokenSource();
        await PutAsync();
        var running = _catalog.RunAsync(stop.Token);
        await Eventually.EndsAsync(_slow.Asked.WaitAsync());
        await _store.CommitAsync(new[] { Op.Delete(Key) });
        await PutAsync();
        await _catalog.LoadAsync(default);
        Assert.True(IsServed);

        // The deletion alone: it has been applied when the catalog asks for what follows.
        _slow.Batches.Release();
        await Eventually.EndsAsync(_slow.Asked.WaitAsync());
        Assert.True(IsServed);
        await stop.CancelAsync();
        await running;
    }

    /// <summary>Holds what it has read.</summary>
    private sealed class SlowStore(IStore store) : IStore
    {
        private TaskCompletionSource? _held;

        /// <summary>One count for each batch that may pass.</summary>
        public SemaphoreSlim Batches { get; } = new(0);

        /// <summary>One count for each time that a watch is asked for its next batch.</summary>
        public SemaphoreSlim Asked { get; } = new(0);

        public long Revision => store.Revision;

        public long CompactedRevision => store.CompactedRevision;

        public TaskCompletionSource HoldNextList() => _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<Page> ListAsync(string prefix, long revision = 0, int limit = 0, string? after = null, CancellationToken cancellationToken = default)
        {
            var held = Interlocked.Exchange(ref _held, null);
            var page = await store.ListAsync(prefix, revision, limit, after, cancellationToken);
            await (held?.Task ?? Task.CompletedTask);
            return page;
        }

        public IStoreWatch Watch(string prefix, long after) => new SlowWatch(store.Watch(prefix, after), Batches, Asked);

        public ValueTask<CommitResult> CommitAsync(ReadOnlyMemory<Op> operations, CancellationToken cancellationToken = default) => store.CommitAsync(operations, cancellationToken);

        public Entry? Get(string key) => store.Get(key);

        public ValueTask<Entry?> GetAsync(string key, long revision, CancellationToken cancellationToken = default) => store.GetAsync(key, revision, cancellationToken);

        public long Count(string prefix) => store.Count(prefix);

        public ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default) => store.CompactAsync(revision, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class SlowWatch(IStoreWatch watch, SemaphoreSlim batches, SemaphoreSlim asked) : IStoreWatch
    {
        public async IAsyncEnumerable<ChangeBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            asked.Release();
            await foreach (var batch in watch.ReadAsync(cancellationToken))
            {
                await batches.WaitAsync(cancellationToken);
                yield return batch;
                asked.Release();
            }
        }

        public void RequestProgress() => watch.RequestProgress();

        public ValueTask DisposeAsync() => watch.DisposeAsync();
    }
}
