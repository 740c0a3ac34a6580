namespace Weft.Storage.Sqlite;

/// <summary>
/// Reads old revisions on its own connection. Long reads go in short transactions, because an open one would keep the log from starting anew;
/// that what they saw fits together is for the caller to check, by the compacted revision after the read.
/// </summary>
internal sealed class HistoryReader : IDisposable
{
    private const long PageBytes = 4 * 1024 * 1024;
    private const long RevisionsPerScan = 4096;

    private readonly Lock _gate = new();
    private readonly Connection _connection;
    private readonly Statement _changes;
    private readonly Statement _undo;
    private readonly Statement _entry;
    private bool _disposed;

    public HistoryReader(string path)
    {
        _connection = new Connection(path, create: false);
        _connection.Execute("PRAGMA query_only = 1");
        _connection.Execute("PRAGMA automatic_index = 0");
        // The plus keeps the planner from making an index over all keys, each time, to find the one row that the id already names.
        _changes = _connection.Prepare(
            """
            SELECT n.id, n.key, n.created, n.value, n.prev, p.created, p.value
            FROM log n LEFT JOIN log p ON n.prev > 0 AND p.id BETWEEN n.prev << 16 AND (n.prev << 16) + 65535 AND +p.key = n.key
            WHERE n.id > ?1 AND n.id <= ?2 AND n.key >= ?3 AND (?4 IS NULL OR n.key < ?4)
            ORDER BY n.id
            """);
        _undo = _connection.Prepare("SELECT key, prev FROM log WHERE id > ?1 AND id <= ?2 AND key >= ?3 AND (?4 IS NULL OR key < ?4) ORDER BY id");
        _entry = _connection.Prepare("SELECT created, value FROM log WHERE id BETWEEN ?1 AND ?2 AND key = ?3");
    }

    public IReadOnlyList<ChangeBatch> ReadChanges(string prefix, long after, long upTo, out long reached)
    {
        // A page also ends after so many revisions: below a quiet prefix the scan would otherwise be one long transaction.
        reached = Math.Min(upTo, after + RevisionsPerScan);
        var page = new List<ChangeBatch>();
        long bytes = 0;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(IStore));
            try
            {
                Bind(_changes, prefix, after, reached);
                var changes = new List<Change>();
                long revision = 0;
                while (_changes.Step())
                {
                    var next = RowId.RevisionOf(_changes.Int64(0));
                    if (next != revision && changes.Count > 0)
                    {
                        page.Add(new ChangeBatch(revision, changes.ToArray()));
                        changes.Clear();
                        if (bytes > PageBytes)
                        {
                            reached = revision;
                            break;
                        }
                    }

                    revision = next;
                    changes.Add(ReadChange(revision));
                    bytes += _changes.BlobLength(3) + _changes.BlobLength(6);
                }

                if (changes.Count > 0)
                    page.Add(new ChangeBatch(revision, changes.ToArray()));
            }
            finally
            {
                _changes.Reset();
            }
        }

        return page;
    }

    public IReadOnlyDictionary<string, Entry?> ReadUndo(string prefix, long after, long upTo)
    {
        var undo = new Dictionary<string, Entry?>();
        for (var from = after; from < upTo; from += RevisionsPerScan)
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, typeof(IStore));
                try
                {
                    Bind(_undo, prefix, from, Math.Min(upTo, from + RevisionsPerScan));
                    while (_undo.Step())
                    {
                        var (key, previous) = (_undo.Text(0), _undo.Int64(1));
                        undo.TryAdd(key, previous == 0 ? null : new Entry(key, default, 0, previous));
                    }
                }
                finally
                {
                    _undo.Reset();
                }
            }
        }

        return undo;
    }

    public Entry? Complete(Entry entry)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(IStore));
            try
            {
                _entry.Bind(1, RowId.First(entry.ModRevision)).Bind(2, RowId.Last(entry.ModRevision)).Bind(3, entry.Key);
                return _entry.Step() && !_entry.IsNull(1) ? new Entry(entry.Key, _entry.Blob(1), _entry.Int64(0), entry.ModRevision) : null;
            }
            finally
            {
                _entry.Reset();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _connection.Dispose();
        }
    }

    private static void Bind(Statement statement, string prefix, long after, long upTo) =>
        statement.Bind(1, RowId.Last(after)).Bind(2, RowId.Last(upTo)).Bind(3, prefix).Bind(4, Keys.EndOf(prefix));

    private Change ReadChange(long revision)
    {
        var key = _changes.Text(1);
        var current = _changes.IsNull(3) ? null : new Entry(key, _changes.Blob(3), _changes.Int64(2), revision);
        var previous = _changes.Int64(4) is > 0 and var before && !_changes.IsNull(6) ? new Entry(key, _changes.Blob(6), _changes.Int64(5), before) : null;
        return new Change(key, current, previous);
    }
}
