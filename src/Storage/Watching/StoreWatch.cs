using System.Runtime.CompilerServices;
using Weft.Storage.History;
using Weft.Storage.Writing;

namespace Weft.Storage.Watching;

/// <summary>
/// One reader's way through history: pages from the driver until memory reaches back far enough, then the recent log, then the buffer of its prefix.
/// Whatever the source, a batch at or below the last revision given is left out, so the seams neither repeat nor lose anything.
/// </summary>
internal sealed class StoreWatch : IStoreWatch
{
    // Taken from the buffer under one lock, so held by a reader that is stuck: a thousand of those must not hold a second history.
    private const int Burst = 16;

    private readonly WatchHub _hub;
    private readonly IDriver _driver;
    private readonly Published _published;
    private readonly Signal _signal = new();
    private Epoch[]? _missed;
    private WatchGroup? _group;
    private long _last;
    private Exception? _ended;
    private int _progressWanted;
    private int _reading;
    private volatile bool _disposed;

    public StoreWatch(string prefix, long after, WatchHub hub, IDriver driver, Published published)
    {
        Prefix = prefix;
        _last = after;
        _hub = hub;
        _driver = driver;
        _published = published;
        Join();
    }

    public string Prefix { get; }

    /// <summary>Owned by the group, under its lock.</summary>
    public long Cursor { get; set; }

    /// <summary>Owned by the group, under its lock.</summary>
    public bool IsWaiting { get; set; }

    public void Wake() => _signal.Set();

    public void End(Exception reason)
    {
        Volatile.Write(ref _ended, reason);
        _signal.Set();
    }

    public void RequestProgress()
    {
        _hub.CatchUp(); // so that the answer covers what the caller may already have read
        Volatile.Write(ref _progressWanted, 1);
        _signal.Set();
    }

    public IAsyncEnumerable<ChangeBatch> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _reading, 1) == 1)
            throw new InvalidOperationException("a watch has one reader: start another watch");
        return ReadCoreAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            if (_group is { } group)
                _hub.Leave(this, group);
            _signal.Set();
        }

        return default;
    }

    private async IAsyncEnumerable<ChangeBatch> ReadCoreAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static watch => ((StoreWatch)watch!).Wake(), this);

        while (!_disposed)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var joined = _group is not null;
            var (page, reached) = _missed is { } missed ? Replay(missed) : await Task.Run(ReadPage, cancellationToken);
            _missed = null;
            foreach (var batch in page)
            {
                if (_disposed)
                    yield break;
                cancellationToken.ThrowIfCancellationRequested();
                _last = batch.Revision;
                yield return batch;
            }

            _last = Math.Max(_last, reached);
            if (joined)
                break;
            Join();
        }

        var burst = new ChangeBatch[Burst];
        while (!_disposed)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Volatile.Read(ref _ended) is { } ended)
                throw new ObjectDisposedException(nameof(IStore), ended.Message);

            // Both before the buffer is looked at: if it then has nothing more, this is how far the reader really is.
            var wanted = Interlocked.Exchange(ref _progressWanted, 0) == 1;
            var dispatched = _hub.Dispatched;
            if (_group!.Take(this, burst, out var progress) is not { } count)
                throw new WatchExpiredException(_last);

            if (count == 0)
            {
                if (wanted || progress > _last)
                {
                    _last = Math.Max(_last, wanted ? dispatched : progress);
                    yield return new ChangeBatch(_last, []);
                }
                else
                {
                    await _signal.WaitAsync();
                }

                continue;
            }

            if (wanted)
                Volatile.Write(ref _progressWanted, 1); // after these changes
            for (var i = 0; i < count; i++)
            {
                var batch = burst[i];
                burst[i] = null!;
                if (batch.Revision <= _last)
                    continue;
                if (_disposed)
                    yield break;
                cancellationToken.ThrowIfCancellationRequested();
                _last = batch.Revision;
                yield return batch;
            }
        }
    }

    private void Join()
    {
        (_group, _missed) = _hub.Join(this, _last);
        if (_disposed && _group is not null)
            _hub.Leave(this, _group);
    }

    private (IReadOnlyList<ChangeBatch> Page, long Reached) ReadPage()
    {
        var upTo = _published.Current.Revision;
        var page = _driver.ReadChanges(Prefix, _last, upTo, out var reached);
        _published.CheckNotCompacted(_last); // after the read: see CompactionQueue.Mark
        return (page, reached);
    }

    private (IReadOnlyList<ChangeBatch> Page, long Reached) Replay(Epoch[] epochs)
    {
        var page = new List<ChangeBatch>();
        foreach (var epoch in epochs)
        {
            foreach (var batch in epoch.Batches)
            {
                if (batch.Revision > _last && Below(batch) is { } below)
                    page.Add(below);
            }
        }

        return (page, epochs.Length > 0 ? epochs[^1].Last : _last);
    }

    private ChangeBatch? Below(ChangeBatch batch)
    {
        var matching = 0;
        foreach (var change in batch.Changes)
        {
            if (change.Key.StartsWith(Prefix, StringComparison.Ordinal))
                matching++;
        }

        return matching == 0 ? null
            : matching == batch.Changes.Count ? batch
            : new ChangeBatch(batch.Revision, [.. batch.Changes.Where(change => change.Key.StartsWith(Prefix, StringComparison.Ordinal))]);
    }
}
