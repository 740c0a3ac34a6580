using System.Buffers;
using System.Text;

namespace Weft.Storage.Sqlite;

/// <summary>The writing side: groups and compaction steps, each one transaction.</summary>
internal sealed class SqliteDriver : IDriver
{
    private readonly SqliteStoreOptions _options;
    private readonly FileLock _lock;
    private readonly Connection _connection;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;
    private readonly Statement _insert;
    private readonly Compactor _compactor;
    private readonly LogPages _logPages;
    private readonly Checkpointer _checkpointer;
    private readonly HistoryReader _history;

    private SqliteDriver(SqliteStoreOptions options, FileLock fileLock, Connection connection)
    {
        _options = options;
        _lock = fileLock;
        _connection = connection;
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Prepare("COMMIT");
        _rollback = connection.Prepare("ROLLBACK");
        _insert = connection.Prepare("INSERT INTO log (id, key, prev, created, value) VALUES (?1, ?2, ?3, ?4, ?5)");
        _compactor = new Compactor(connection, options.CompactionStep);
        _logPages = new LogPages(connection);
        _checkpointer = new Checkpointer(options);
        _history = new HistoryReader(options.Path);
    }

    public static (SqliteDriver Driver, Recovered Recovered) Open(SqliteStoreOptions options)
    {
        var fileLock = new FileLock(options.Path);
        Connection? connection = null;
        try
        {
            ReadThrough(options.Path);
            connection = new Connection(options.Path, create: true);
            FileFormat.Prepare(connection, options.Path, options);
            var recovered = FileFormat.Load(connection);
            return (new SqliteDriver(options, fileLock, connection), recovered);
        }
        catch
        {
            connection?.Dispose();
            fileLock.Dispose();
            throw;
        }
    }

    // Loading walks the pages backwards, which no disk reads ahead: a cold file of 800 MB took six times as long without this.
    // Before SQLite has the file open: closing a file lets go of all locks that this process has on it (fcntl(2)).
    private static void ReadThrough(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
        var buffer = new byte[64 * 1024];
        while (file.Read(buffer) > 0)
        {
            // it is in the page cache now
        }
    }

    public void Append(IReadOnlyList<ChangeBatch> batches)
    {
        if (_checkpointer.Failure is { } failure)
            throw failure;

        CheckpointIfLong();
        Transact(() =>
        {
            foreach (var batch in batches)
            {
                for (var place = 0; place < batch.Changes.Count; place++)
                    Insert(RowId.Of(batch.Revision, place), batch.Changes[place]);
            }
        });

        if (_logPages.Count >= _options.CheckpointPages)
            _checkpointer.Wake();
    }

    public void MarkCompacted(long compacted)
    {
        Transact(() => _compactor.Mark(compacted));
        _compactor.Marked(compacted);
    }

    public bool CompactStep()
    {
        if (!_compactor.HasWork)
            return false;

        Transact(() =>
        {
            _compactor.Step();
            _options.FailPoints.Hit(FailPoint.CompactionStep);
        });
        _compactor.Stepped();
        return _compactor.HasWork;
    }

    public IReadOnlyList<ChangeBatch> ReadChanges(string prefix, long after, long upTo, out long reached) =>
        _history.ReadChanges(prefix, after, upTo, out reached);

    public IReadOnlyDictionary<string, Entry?> ReadUndo(string prefix, long after, long upTo) => _history.ReadUndo(prefix, after, upTo);

    public Entry? Complete(Entry entry) => _history.Complete(entry);

    public void Dispose()
    {
        _checkpointer.Dispose();
        _history.Dispose();
        _connection.Dispose(); // the last one: SQLite copies the log into the file and removes it
        _logPages.Dispose();
        _lock.Dispose();
    }

    // When commits never pause the checkpointer never catches up: copy the rest with the writer standing still, so that this commit starts the log anew.
    private void CheckpointIfLong()
    {
        if (_logPages.Count < _options.MaxLogPages)
            return;

        try
        {
            _checkpointer.RunAlone(_connection);
        }
        catch (DiskFullException)
        {
            // Nothing is lost: the log keeps it. Whether there is room for this commit, the commit itself will show.
        }
    }

    private void Transact(Action work)
    {
        _begin.Run();
        try
        {
            work();
            _commit.Run();
        }
        catch
        {
            if (_connection.InTransaction)
                _rollback.Run();
            throw;
        }
    }

    private unsafe void Insert(long id, Change change)
    {
        var key = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(change.Key.Length));
        try
        {
            var keyLength = Encoding.UTF8.GetBytes(change.Key, key);
            _insert.Bind(1, id).Bind(3, change.Previous?.ModRevision ?? 0).Bind(4, change.Current?.CreateRevision ?? 0);
            fixed (byte* keyStart = key)
            {
                _insert.BindPinnedText(2, keyStart, keyLength);
                if (change.Current is null)
                {
                    _insert.BindNull(5);
                    _insert.Run();
                }
                else
                {
                    fixed (byte* value = change.Current.Value.Span)
                    {
                        _insert.BindPinnedBlob(5, value, change.Current.Value.Length);
                        _insert.Run();
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(key);
        }
    }
}
