namespace Weft.Storage.Sqlite;

/// <summary>Copies the write-ahead log into the file on its own thread and connection, while the writer appends.</summary>
internal sealed class Checkpointer : IDisposable
{
    private readonly IFailPoints _failPoints;
    private readonly Connection _connection;
    private readonly Lock _running = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private volatile bool _stopping;
    private volatile Exception? _failure;

    public Checkpointer(SqliteStoreOptions options)
    {
        _failPoints = options.FailPoints;
        _connection = new Connection(options.Path, create: false);
        _connection.Execute("PRAGMA synchronous = FULL");
        _connection.Execute("PRAGMA wal_autocheckpoint = 0");
        _thread = new Thread(Run) { Name = "weft-checkpoint", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The fsync of a checkpoint failed: the pages may be neither in the log nor in the file after the next one. The next write must not be made.</summary>
    public Exception? Failure => _failure;

    public void Wake() => _wake.Set();

    /// <summary>Runs a checkpoint of the writer, after the one that may be running: two at once give up on each other.</summary>
    public void RunAlone(Connection writer)
    {
        lock (_running)
            writer.Checkpoint();
    }

    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        _thread.Join();
        _connection.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        while (_wake.WaitOne() && !_stopping)
        {
            try
            {
                lock (_running)
                {
                    _failPoints.Hit(FailPoint.Checkpoint);
                    _connection.Checkpoint();
                }
            }
            catch (DiskFullException)
            {
                // The log keeps everything; the next wake-up tries again, and the writer reports a full disk itself when it meets one.
            }
            catch (IOException failure)
            {
                _failure = failure;
                return;
            }
        }
    }
}
