namespace Weft.Storage.Sqlite;

/// <summary>One connection to the file. For one thread at a time.</summary>
internal sealed class Connection : IDisposable
{
    // Only another program with the file open can make us wait: our own writer is alone, and checkpoints are passive.
    private const int BusyMilliseconds = 10_000;

    private readonly List<Statement> _statements = [];
    private nint _handle;

    public Connection(string path, bool create)
    {
        var flags = Native.OpenReadWrite | Native.OpenNoMutex | (create ? Native.OpenCreate : 0);
        var code = Native.Open(path, out _handle, flags, 0);
        if (code != Native.Ok)
        {
            var failure = SqliteException.From(_handle, code, "open");
            Dispose();
            throw failure;
        }

        Native.ExtendedResultCodes(_handle, 1);
        Native.BusyTimeout(_handle, BusyMilliseconds);
    }

    public nint Handle => _handle;

    public bool InTransaction => Native.GetAutocommit(_handle) == 0;

    public Statement Prepare(string sql)
    {
        var code = Native.Prepare(_handle, sql, -1, out var statement, 0);
        if (code != Native.Ok)
            throw SqliteException.From(_handle, code, sql);
        var prepared = new Statement(this, statement, sql);
        _statements.Add(prepared);
        return prepared;
    }

    /// <summary>Runs a statement that is not worth keeping; gives the first column of the first row, if there is one.</summary>
    public long? Execute(string sql) => Execute(sql, statement => (long?)statement.Int64(0));

    /// <summary>The same for a text.</summary>
    public string? ExecuteText(string sql) => Execute(sql, statement => statement.Text(0));

    private T? Execute<T>(string sql, Func<Statement, T> column)
    {
        var statement = Prepare(sql);
        try
        {
            if (!statement.Step())
                return default;

            var first = column(statement);
            while (statement.Step())
            {
                // a pragma may have work to do in each step
            }

            return first;
        }
        finally
        {
            _statements.Remove(statement);
            statement.Dispose();
        }
    }

    public void Check(int code, string what)
    {
        if (code != Native.Ok)
            throw SqliteException.From(_handle, code, what);
    }

    /// <summary>Copies what it can from the log to the file without waiting for anyone. False: someone else was at it.</summary>
    public bool Checkpoint()
    {
        var code = Native.Checkpoint(_handle, 0, Native.CheckpointPassive, out _, out _);
        if ((code & 0xff) == Native.Busy)
            return false;
        Check(code, "checkpoint");
        return true;
    }

    public void Dispose()
    {
        foreach (var statement in _statements)
            statement.Dispose();
        _statements.Clear();
        if (_handle != 0)
            Native.Close(_handle);
        _handle = 0;
    }
}
