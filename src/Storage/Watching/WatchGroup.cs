using Weft.Storage.History;

namespace Weft.Storage.Watching;

/// <summary>
/// The changes below one prefix, once, for all who watch it. Each watch has a cursor; one that is overtaken by the end of the buffer is refused.
/// So a thousand watches cost one buffer, and a slow one costs the others nothing.
/// </summary>
internal sealed class WatchGroup(string prefix, int capacity, long maxBytes)
{
    private const long BurstBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly List<StoreWatch> _watches = [];
    private readonly List<StoreWatch> _waiting = [];
    private ChangeBatch[] _ring = new ChangeBatch[Math.Min(16, capacity)];
    private long _first; // sequence numbers: the oldest in the ring, and the next to come
    private long _next;
    private long _bytes;
    private long _progress;

    public string Prefix => prefix;

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _watches.Count == 0;
        }
    }

    public void Join(StoreWatch watch)
    {
        lock (_gate)
        {
            watch.Cursor = _next;
            _watches.Add(watch);
        }
    }

    public void Leave(StoreWatch watch)
    {
        lock (_gate)
        {
            _watches.Remove(watch);
            _waiting.Remove(watch);
        }
    }

    public void Add(ChangeBatch batch)
    {
        lock (_gate)
        {
            if (_next - _first == _ring.Length)
                MakeRoom();
            _ring[_next++ % _ring.Length] = batch;
            _bytes += Epoch.SizeOf(batch);
            while (_bytes > maxBytes && _next - _first > 1)
                DropFirst();
        }
    }

    /// <summary>Gives the watch what is there after its cursor, or puts it among those to wake. Null: it was overtaken.</summary>
    public int? Take(StoreWatch watch, Span<ChangeBatch> into, out long progress)
    {
        lock (_gate)
        {
            progress = _progress;
            if (watch.Cursor < _first)
                return null;

            var count = 0;
            long bytes = 0;
            while (count < into.Length && bytes < BurstBytes && watch.Cursor < _next)
            {
                var batch = into[count++] = _ring[watch.Cursor++ % _ring.Length];
                bytes += Epoch.SizeOf(batch);
            }

            if (count == 0 && !watch.IsWaiting)
            {
                watch.IsWaiting = true;
                _waiting.Add(watch);
            }

            return count;
        }
    }

    /// <summary>All changes up to the revision are in the buffer: watches that are through with it may be told.</summary>
    public void Progress(long revision)
    {
        lock (_gate)
            _progress = revision;
        WakeAll();
    }

    public void WakeAll()
    {
        lock (_gate)
        {
            foreach (var watch in _waiting)
            {
                watch.IsWaiting = false;
                watch.Wake();
            }

            _waiting.Clear();
        }
    }

    public void Close(Exception reason)
    {
        lock (_gate)
        {
            foreach (var watch in _watches)
                watch.End(reason);
        }
    }

    // Full: first forget what everyone has read, then grow up to the limit, then overtake the slowest.
    private void MakeRoom()
    {
        var slowest = _next;
        foreach (var watch in _watches)
            slowest = Math.Min(slowest, Math.Max(watch.Cursor, _first));
        while (_first < slowest)
            DropFirst();

        if (_next - _first <= _ring.Length / 2)
            return;

        if (_ring.Length < capacity)
        {
            var larger = new ChangeBatch[Math.Min(_ring.Length * 2, capacity)];
            for (var i = _first; i < _next; i++)
                larger[i % larger.Length] = _ring[i % _ring.Length];
            _ring = larger;
        }

        if (_next - _first < _ring.Length)
            return;

        // Several at once, so that a stuck reader does not have all cursors looked at for each change; whom it overtakes is looked at no more.
        for (var i = Math.Max(1, _ring.Length / 16); i > 0; i--)
            DropFirst();
        _watches.RemoveAll(watch => watch.Cursor < _first);
    }

    private void DropFirst()
    {
        ref var slot = ref _ring[_first++ % _ring.Length];
        _bytes -= Epoch.SizeOf(slot);
        slot = null!;
    }
}
