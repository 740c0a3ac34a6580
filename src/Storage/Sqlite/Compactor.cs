namespace Weft.Storage.Sqlite;

/// <summary>
/// Removes what no revision from compacted + 1 on needs: for each change up to there, the one it replaced, and itself if it is a deletion.
/// Works along the log from where it stopped, so its cost is that of the changes since the last time, not of the file.
/// The space is used again by the next changes; when a quarter of the file is free, pages are given back to the disk.
/// </summary>
internal sealed class Compactor
{
    // Below 8 MiB of free pages it is not worth moving any.
    private const long FreePagesKept = 2048;
    private const int PagesPerStep = 256;

    private readonly Connection _connection;
    private readonly int _step;
    private readonly Statement _mark;
    private readonly Statement _scan;
    private readonly Statement _removeReplaced;
    private readonly Statement _remove;
    private readonly Statement _removedUpTo;
    private long _target;
    private long _removed;
    private long _next;
    private bool _vacuum;

    public Compactor(Connection connection, int step)
    {
        _connection = connection;
        _step = step;
        _mark = connection.Prepare("UPDATE meta SET value = ?1 WHERE name = 'compacted'");
        _scan = connection.Prepare("SELECT id, key, prev, value IS NULL FROM log WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3");
        _removeReplaced = connection.Prepare("DELETE FROM log WHERE id BETWEEN ?1 AND ?2 AND key = ?3");
        _remove = connection.Prepare("DELETE FROM log WHERE id = ?1");
        _removedUpTo = connection.Prepare("UPDATE meta SET value = ?1 WHERE name = 'removed'");
        _target = RowId.Last((connection.Execute("SELECT value FROM meta WHERE name = 'compacted'") ?? 0) + 1);
        _removed = connection.Execute("SELECT value FROM meta WHERE name = 'removed'") ?? 0;
    }

    public bool HasWork => _removed < _target || _vacuum;

    public void Mark(long compacted) => _mark.Bind(1, compacted).Run();

    /// <summary>The mark is durable: up to there may be removed.</summary>
    public void Marked(long compacted) => _target = Math.Max(_target, RowId.Last(compacted + 1));

    /// <summary>One bounded piece, within the caller's transaction.</summary>
    public void Step()
    {
        _next = _removed;
        if (_removed >= _target)
        {
            _connection.Execute($"PRAGMA incremental_vacuum({PagesPerStep})");
            return;
        }

        var changes = Scan();
        foreach (var (id, key, previous, isDeletion) in changes)
        {
            if (previous > 0)
                _removeReplaced.Bind(1, RowId.First(previous)).Bind(2, RowId.Last(previous)).Bind(3, key).Run();
            if (isDeletion)
                _remove.Bind(1, id).Run();
        }

        _next = changes.Count < _step ? _target : changes[^1].Id;
        _removedUpTo.Bind(1, _next).Run();
    }

    /// <summary>The piece is durable.</summary>
    public void Stepped()
    {
        _removed = _next;
        _vacuum = _removed >= _target && FreePages() > 0;
    }

    private List<(long Id, string Key, long Previous, bool IsDeletion)> Scan()
    {
        var changes = new List<(long, string, long, bool)>(_step);
        try
        {
            _scan.Bind(1, _removed).Bind(2, _target).Bind(3, _step);
            while (_scan.Step())
                changes.Add((_scan.Int64(0), _scan.Text(1), _scan.Int64(2), _scan.Int64(3) != 0));
        }
        finally
        {
            _scan.Reset();
        }

        return changes;
    }

    /// <summary>Free pages above what is kept for the next changes.</summary>
    private long FreePages()
    {
        var free = _connection.Execute("PRAGMA freelist_count") ?? 0;
        var all = _connection.Execute("PRAGMA page_count") ?? 0;
        return Math.Max(0, free - Math.Max(FreePagesKept, all / 4));
    }
}
