using Weft.Storage.History;
using Weft.Storage.Tree;
using Weft.Storage.Watching;
using Weft.Storage.Writing;

namespace Weft.Storage;

/// <summary>
/// What the stores of this machine share: the newest state in memory, one writer, recent history, watches.
/// A driver adds durability and older history. The life of a write is told in docs/flows/write.md.
/// </summary>
public abstract class LocalStore : IStore
{
    private readonly IDriver _driver;
    private readonly StoreOptions _options;
    private readonly Published _published;
    private readonly RecentLog _recent;
    private readonly WatchHub _hub;
    private readonly Writer _writer;
    private int _disposed;

    private protected LocalStore(IDriver driver, Recovered recovered, StoreOptions options, TimeProvider time)
    {
        options.Check();
        var start = new Snapshot(recovered.Root, recovered.Revision);
        _driver = driver;
        _options = options;
        _published = new Published(start, recovered.Compacted);
        _recent = new RecentLog(start, options.RecentChanges, options.RecentBytes);
        _hub = new WatchHub(_recent, _published, options, time);
        _writer = new Writer(driver, _published, _recent, _hub, options);
    }

    public long Revision => _published.Current.Revision;

    public long CompactedRevision => _published.Compacted;

    /// <summary>Completes, with the reason, when the outcome of a write is unknown (an fsync error): the process must end, and recovers when it starts again.</summary>
    public Task<Exception> Failed => _writer.Failed;

    /// <summary>The last write found no space on the disk. Each further write tries again.</summary>
    public bool IsReadOnly => _writer.IsFull;

    /// <summary>Distinct prefixes that someone watches.</summary>
    public int WatchedPrefixes => _hub.Prefixes;

    public ValueTask<CommitResult> CommitAsync(ReadOnlyMemory<Op> operations, CancellationToken cancellationToken = default)
    {
        Check(operations.Span);
        return _writer.CommitAsync(operations, cancellationToken);
    }

    public Entry? Get(string key) => _published.Current.Find(key);

    public ValueTask<Entry?> GetAsync(string key, long revision, CancellationToken cancellationToken = default)
    {
        Keys.Check(key);
        if (InMemory(revision) is { } snapshot)
            return ValueTask.FromResult(snapshot.Find(key));
        return new ValueTask<Entry?>(Task.Run(() => GetFromDriver(key, revision), cancellationToken));
    }

    public ValueTask<Page> ListAsync(string prefix, long revision = 0, int limit = 0, string? after = null, CancellationToken cancellationToken = default)
    {
        Keys.CheckPrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        if (InMemory(revision) is { } snapshot)
            return ValueTask.FromResult(snapshot.List(prefix, limit, after));
        return new ValueTask<Page>(Task.Run(() => ListFromDriver(prefix, revision, limit, after), cancellationToken));
    }

    public long Count(string prefix)
    {
        Keys.CheckPrefix(prefix);
        return _published.Current.Count(prefix);
    }

    public IStoreWatch Watch(string prefix, long after)
    {
        Keys.CheckPrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        if (after == 0)
            after = Revision;
        _published.CheckReadable(after);
        return new StoreWatch(prefix, after, _hub, _driver, _published);
    }

    public ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(revision);
        if (revision > Revision)
            throw new FutureRevisionException(revision, Revision);
        return new ValueTask(_writer.CompactAsync(revision).WaitAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;

        await Task.Run(() =>
        {
            _writer.Dispose();
            _hub.Dispose();
            _driver.Dispose();
        });
        GC.SuppressFinalize(this);
    }

    private void Check(ReadOnlySpan<Op> operations)
    {
        if (operations.Length == 0 || operations.Length > _options.MaxOperations)
            throw new ArgumentException($"a commit has 1 to {_options.MaxOperations} operations, this one has {operations.Length}", nameof(operations));

        foreach (ref readonly var operation in operations)
        {
            Keys.Check(operation.Key);
            if (operation.Value.Length > _options.MaxValueBytes)
                throw new ValueTooLargeException(operation.Key, operation.Value.Length, _options.MaxValueBytes);
        }

        if (operations.Length > 1)
        {
            var seen = new HashSet<string>(operations.Length);
            foreach (ref readonly var operation in operations)
            {
                // One revision has one value of a key.
                if (!seen.Add(operation.Key))
                    throw new ArgumentException($"the key '{operation.Key}' stands twice in one commit", nameof(operations));
            }
        }
    }

    /// <summary>The state as of the revision (0: the newest), or null when only the driver has it.</summary>
    private Snapshot? InMemory(long revision)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(revision);
        var newest = _published.Current;
        if (revision == 0)
            return newest;

        _published.CheckReadable(revision);
        return revision == newest.Revision ? newest : _recent.At(revision);
    }

    private Entry? GetFromDriver(string key, long revision)
    {
        var newest = _published.Current;
        var entry = newest.Find(key);
        if (entry is not null && entry.ModRevision <= revision)
            return entry;

        // The key is its own range: everything below "key/" cannot be "key", so the undo is asked for the folder the key is in.
        var folder = key[..(key.LastIndexOf('/') + 1)];
        var undo = _driver.ReadUndo(folder, revision, newest.Revision);
        var past = undo.TryGetValue(key, out var before) ? before : entry;
        var whole = past is null || past == entry ? past : _driver.Complete(past);
        _published.CheckNotCompacted(revision); // after the read: what was removed meanwhile was marked before
        return whole;
    }

    private Page ListFromDriver(string prefix, long revision, int limit, string? after)
    {
        var newest = _published.Current;
        var undo = _driver.ReadUndo(prefix, revision, newest.Revision);
        var edit = new TreeEdit(newest.Root, TreeEdit.Scratch);
        foreach (var (key, before) in undo)
        {
            if (before is null)
                edit.Remove(key);
            else
                edit.Set(before);
        }

        var page = new Snapshot(edit.Root, revision).List(prefix, limit, after);
        var entries = new Entry?[page.Entries.Count];
        var next = 0;
        foreach (var entry in page.Entries)
            entries[next++] = undo.ContainsKey(entry.Key) ? _driver.Complete(entry) : entry;

        _published.CheckNotCompacted(revision); // after the read: what was removed meanwhile was marked before
        if (entries.Contains(null))
            throw new InvalidDataException($"the store has lost a value that revision {revision} needs");
        return page with { Entries = entries! };
    }
}
