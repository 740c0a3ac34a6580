namespace Weft.Storage.Memory;

/// <summary>History in a list. Durable as long as the process.</summary>
internal sealed class MemoryDriver : IDriver
{
    // About what a page of the SQLite driver holds.
    private const int PageOfBatches = 1024;

    private readonly Lock _gate = new();
    private readonly List<ChangeBatch> _log = [];
    private long _compacted;

    public void Append(IReadOnlyList<ChangeBatch> batches)
    {
        lock (_gate)
            _log.AddRange(batches);
    }

    public void MarkCompacted(long compacted) => _compacted = compacted;

    public bool CompactStep()
    {
        lock (_gate)
            _log.RemoveRange(0, FirstAbove(_compacted + 1));
        return false;
    }

    public IReadOnlyList<ChangeBatch> ReadChanges(string prefix, long after, long upTo, out long reached)
    {
        var page = new List<ChangeBatch>();
        reached = upTo;
        lock (_gate)
        {
            for (var i = FirstAbove(after); i < _log.Count && _log[i].Revision <= upTo; i++)
            {
                if (page.Count == PageOfBatches)
                {
                    reached = page[^1].Revision;
                    break;
                }

                var below = _log[i].Changes.Where(change => change.Key.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
                if (below.Length > 0)
                    page.Add(new ChangeBatch(_log[i].Revision, below));
            }
        }

        return page;
    }

    public IReadOnlyDictionary<string, Entry?> ReadUndo(string prefix, long after, long upTo)
    {
        var undo = new Dictionary<string, Entry?>();
        lock (_gate)
        {
            for (var i = FirstAbove(after); i < _log.Count && _log[i].Revision <= upTo; i++)
            {
                foreach (var change in _log[i].Changes)
                {
                    if (change.Key.StartsWith(prefix, StringComparison.Ordinal))
                        undo.TryAdd(change.Key, change.Previous);
                }
            }
        }

        return undo;
    }

    public Entry? Complete(Entry entry) => entry;

    public void Dispose()
    {
    }

    private int FirstAbove(long revision)
    {
        int low = 0, high = _log.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_log[middle].Revision <= revision)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
