using Weft.Api;

namespace Weft.Client;

/// <summary>
/// All objects of one kind as the watch last told, plus what the caller itself wrote since: a controller that creates a pod sees it at once,
/// so it never creates it twice, and needs no expectations. Objects are immutable and shared.
/// </summary>
/// <remarks>
/// Own writes rest on one order: the watch has delivered everything up to <see cref="_observed"/>. An own write with a higher revision is
/// still to come on the watch, so it may be shown early; one with a lower revision has already come, and perhaps gone again.
/// </remarks>
public sealed class ObjectCache<T> where T : class, IObject
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, T> _objects = [];
    private readonly List<CacheIndex<T>> _indexes = [];
    private readonly CacheIndex<T> _byNamespace;
    private readonly Dictionary<ObjectKey, ulong> _ownWrites = []; // shown before the watch told of them
    private readonly HashSet<string> _ownDeletes = [];             // uids hidden before the watch told that they are gone
    private readonly ChangeFeed<T> _feed = new();
    private ulong _observed;

    public ObjectCache() => _byNamespace = AddIndex(static value => [value.Metadata.Namespace ?? ""]);

    public int Count
    {
        get
        {
            lock (_gate)
                return _objects.Count;
        }
    }

    public T? Find(ObjectKey key)
    {
        lock (_gate)
            return _objects.GetValueOrDefault(key);
    }

    public IReadOnlyList<T> All()
    {
        lock (_gate)
            return [.. _objects.Values];
    }

    public IReadOnlyList<T> InNamespace(string @namespace) => _byNamespace.Find(@namespace);

    /// <summary>An index over what is there and what will come.</summary>
    public CacheIndex<T> AddIndex(Func<T, IEnumerable<string>> keys)
    {
        lock (_gate)
        {
            var index = new CacheIndex<T>(_gate, keys);
            foreach (var (key, value) in _objects)
                index.Replace(key, null, value);
            _indexes.Add(index);
            return index;
        }
    }

    /// <summary>
    /// The objects there are, as additions, then every change: no gap and no repetition between the two. Calls come one at a time, in order,
    /// with no lock held; the handler must be quick (add a key to a queue) and must not throw.
    /// </summary>
    public IDisposable Subscribe(Action<Change<T>> onChange)
    {
        IDisposable subscription;
        lock (_gate)
            subscription = _feed.Subscribe(onChange, _objects.Values.Select(value => new Change<T>(null, value)));
        _feed.Drain();
        return subscription;
    }

    /// <summary>Shows an object as the server answered it to an own write, before the watch brings it.</summary>
    public void Wrote(T value)
    {
        lock (_gate)
        {
            var revision = Revision.Of(value);
            if (revision == 0 || revision <= _observed)
                return;
            var key = KeyOf(value);
            if (_objects.TryGetValue(key, out var cached) && Revision.Of(cached) >= revision)
                return;
            _ownWrites[key] = revision;
            Set(key, value);
        }

        _feed.Drain();
    }

    /// <summary>Hides an object that the server has removed, before the watch tells.</summary>
    public void Removed(ObjectKey key, string? uid)
    {
        lock (_gate)
        {
            if (uid is null || !_objects.TryGetValue(key, out var cached) || cached.Metadata.Uid != uid)
                return;
            _ownDeletes.Add(uid);
            Set(key, null);
        }

        _feed.Drain();
    }

    internal void Replace(IReadOnlyList<T> items, string resourceVersion)
    {
        lock (_gate)
        {
            var revision = Revision.Parse(resourceVersion);
            if (revision < _observed)
            {
                // The store is another one than before (restored, purged): nothing remembered holds.
                _ownWrites.Clear();
                _ownDeletes.Clear();
            }

            var listed = new HashSet<ObjectKey>(items.Count);
            var uids = new HashSet<string>(items.Count);
            foreach (var item in items)
            {
                var key = KeyOf(item);
                listed.Add(key);
                uids.Add(item.Metadata.Uid ?? "");
                if (IsOvertaken(key, revision) || IsHidden(item))
                    continue;
                if (!_objects.TryGetValue(key, out var cached) || cached.Metadata.ResourceVersion != item.Metadata.ResourceVersion)
                    Set(key, item);
            }

            foreach (var key in _objects.Keys.Where(key => !listed.Contains(key) && !IsOvertaken(key, revision)).ToList())
                Set(key, null);
            _ownDeletes.RemoveWhere(uid => !uids.Contains(uid));
            Observe(revision);
        }

        _feed.Drain();
    }

    internal void Apply(WatchEvent<T> change)
    {
        lock (_gate)
        {
            var revision = Revision.Of(change.Object);
            if (change.Type != WatchEventType.Bookmark)
            {
                var key = KeyOf(change.Object);
                if (change.Type == WatchEventType.Deleted)
                {
                    _ownDeletes.Remove(change.Object.Metadata.Uid ?? "");
                    if (!IsOvertaken(key, revision))
                        Set(key, null);
                }
                else if (!IsHidden(change.Object) && !IsOvertaken(key, revision)
                    && !(_ownWrites.TryGetValue(key, out var own) && own == revision)) // shown already
                {
                    Set(key, change.Object);
                }

                if (_ownWrites.TryGetValue(key, out var written) && written <= revision)
                    _ownWrites.Remove(key);
            }

            Observe(revision);
        }

        _feed.Drain();
    }

    // An own write newer than what the watch or list says: their news is old.
    private bool IsOvertaken(ObjectKey key, ulong revision) => _ownWrites.TryGetValue(key, out var own) && own > revision;

    // Removed by ourselves, unless the server says that it only began to terminate.
    private bool IsHidden(T value) => value.Metadata.Uid is { } uid && _ownDeletes.Contains(uid)
        && (value.Metadata.DeletionTimestamp is null || !_ownDeletes.Remove(uid));

    private void Observe(ulong revision)
    {
        _observed = revision;
        foreach (var key in _ownWrites.Where(own => own.Value <= revision).Select(own => own.Key).ToList())
            _ownWrites.Remove(key);
    }

    private void Set(ObjectKey key, T? value)
    {
        _objects.Remove(key, out var old);
        if (old is null && value is null)
            return;
        if (value is not null)
            _objects[key] = value;
        foreach (var index in _indexes)
            index.Replace(key, old, value);

        if (old is not null && value is not null && old.Metadata.Uid != value.Metadata.Uid)
        {
            // The name lives again: nobody may take the new object for a change of the old one.
            _feed.Enqueue(new Change<T>(old, null));
            _feed.Enqueue(new Change<T>(null, value));
        }
        else
        {
            _feed.Enqueue(new Change<T>(old, value));
        }
    }

    private static ObjectKey KeyOf(T value) => new(value.Metadata.Namespace ?? "", value.Metadata.Name ?? "");
}
