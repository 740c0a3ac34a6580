using Weft.Storage.History;
using Weft.Storage.Writing;

namespace Weft.Storage.Watching;

/// <summary>
/// Carries published groups to the watches, in order, on a thread of the pool: the writer only rings the bell.
/// It takes them from the recent log, which keeps what was not yet carried; so it holds nothing itself.
/// </summary>
internal sealed class WatchHub : IThreadPoolWorkItem, IDisposable
{
    private const int MissedAtOnce = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, WatchGroup> _groups = [];
    private readonly Dictionary<string, WatchGroup>.AlternateLookup<ReadOnlySpan<char>> _groupsBySpan;
    private readonly HashSet<WatchGroup> _touched = [];
    private readonly List<(WatchGroup Group, List<Change> Changes)> _parts = [];
    private readonly RecentLog _recent;
    private readonly Published _published;
    private readonly StoreOptions _options;
    private readonly ITimer _timer;
    private long _dispatched;
    private long _reported;
    private int _scheduled;
    private Exception? _closed;

    public WatchHub(RecentLog recent, Published published, StoreOptions options, TimeProvider time)
    {
        _recent = recent;
        _published = published;
        _options = options;
        _dispatched = published.Current.Revision;
        _groupsBySpan = _groups.GetAlternateLookup<ReadOnlySpan<char>>();
        _timer = time.CreateTimer(static hub => ((WatchHub)hub!).ReportProgress(), this, options.ProgressInterval, options.ProgressInterval);
    }

    /// <summary>Every change up to this revision is in the buffers of the watches it concerns.</summary>
    public long Dispatched => Volatile.Read(ref _dispatched);

    public int Prefixes
    {
        get
        {
            lock (_gate)
                return _groups.Count;
        }
    }

    public void Wake()
    {
        if (Interlocked.Exchange(ref _scheduled, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Execute()
    {
        Interlocked.Exchange(ref _scheduled, 0); // before looking: a group published from here on rings again
        CatchUp();
    }

    /// <summary>On return everything published before the call is in the buffers.</summary>
    public void CatchUp()
    {
        lock (_gate)
            Dispatch();
    }

    /// <summary>
    /// Puts the watch in the group of its prefix and gives it the little it has missed until then; from there on, the buffer has everything.
    /// Without a group: it has missed more, here is the next part of it. With neither: that is no longer in memory.
    /// </summary>
    public (WatchGroup? Group, Epoch[]? Missed) Join(StoreWatch watch, long after)
    {
        lock (_gate)
        {
            if (_closed is not null)
                throw new ObjectDisposedException(nameof(IStore), _closed.Message);

            // A part only, so that a slow reader does not keep more of the past alive than that.
            var missed = _recent.Since(after, _dispatched, MissedAtOnce);
            if (missed is null || missed.Length == MissedAtOnce)
                return (null, missed);

            if (!_groups.TryGetValue(watch.Prefix, out var group))
                _groups.Add(watch.Prefix, group = new WatchGroup(watch.Prefix, _options.WatchBuffer, _options.WatchBufferBytes));
            group.Join(watch);
            return (group, missed);
        }
    }

    public void Leave(StoreWatch watch, WatchGroup group)
    {
        lock (_gate)
        {
            group.Leave(watch);
            // A watch may leave twice; by then, another group may have the prefix.
            if (group.IsEmpty && _groups.TryGetValue(group.Prefix, out var current) && current == group)
                _groups.Remove(group.Prefix);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_gate)
        {
            _closed = new ObjectDisposedException(nameof(IStore), "the store is closed");
            foreach (var group in _groups.Values)
                group.Close(_closed);
            _groups.Clear();
        }
    }

    private void ReportProgress()
    {
        lock (_gate)
        {
            if (_reported == _dispatched)
                return; // an idle cluster wakes nobody

            _reported = _dispatched;
            foreach (var group in _groups.Values)
                group.Progress(_dispatched);
        }
    }

    private void Dispatch()
    {
        if (_groups.Count == 0)
        {
            Volatile.Write(ref _dispatched, _published.Current.Revision);
            return;
        }

        // Only up to what is published: a watch must not be ahead of a read.
        var upTo = _published.Current.Revision;
        var epochs = _recent.Since(_dispatched, upTo, int.MaxValue) ?? throw new InvalidOperationException("the recent log forgot a change before the watches had it");
        foreach (var epoch in epochs)
        {
            foreach (var batch in epoch.Batches)
                Dispatch(batch);
            Volatile.Write(ref _dispatched, epoch.Last);
        }

        foreach (var group in _touched)
            group.WakeAll();
        _touched.Clear();
    }

    private void Dispatch(ChangeBatch batch)
    {
        if (batch.Changes.Count == 1)
        {
            // One change: every watch gets the very same batch.
            var (end, key) = (0, batch.Changes[0].Key);
            do
            {
                if (_groupsBySpan.TryGetValue(key.AsSpan(0, end), out var group))
                    Deliver(group, batch);
            }
            while (NextPrefix(key, ref end));
            return;
        }

        foreach (var change in batch.Changes)
        {
            var end = 0;
            do
            {
                if (_groupsBySpan.TryGetValue(change.Key.AsSpan(0, end), out var group))
                    PartFor(group).Add(change);
            }
            while (NextPrefix(change.Key, ref end));
        }

        foreach (var (group, changes) in _parts)
            Deliver(group, changes.Count == batch.Changes.Count ? batch : new ChangeBatch(batch.Revision, changes));
        _parts.Clear();
    }

    private void Deliver(WatchGroup group, ChangeBatch batch)
    {
        group.Add(batch);
        _touched.Add(group);
    }

    private List<Change> PartFor(WatchGroup group)
    {
        foreach (var part in _parts)
        {
            if (part.Group == group)
                return part.Changes;
        }

        var changes = new List<Change>();
        _parts.Add((group, changes));
        return changes;
    }

    // The prefixes of a key are "", then each part up to a slash.
    private static bool NextPrefix(string key, ref int end)
    {
        var slash = key.IndexOf('/', end);
        end = slash + 1;
        return slash >= 0;
    }
}
