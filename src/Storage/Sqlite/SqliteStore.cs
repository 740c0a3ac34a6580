namespace Weft.Storage.Sqlite;

/// <summary>The store of one machine: everything in one SQLite file, durable before it is answered.</summary>
public sealed class SqliteStore : LocalStore
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private SqliteStore(SqliteDriver driver, Recovered recovered, SqliteStoreOptions options, TimeProvider time)
        : base(driver, recovered, options, time)
    {
    }

    /// <exception cref="StoreOpenException">In use, of a newer format, not a store, damaged, or SQLite is missing.</exception>
    public static Task<SqliteStore> OpenAsync(SqliteStoreOptions options, TimeProvider time, CancellationToken cancellationToken = default)
    {
        options.Check();
        options = options with { Path = Path.GetFullPath(options.Path) };
        return Task.Run(() => Open(options, time), cancellationToken);
    }

    private static SqliteStore Open(SqliteStoreOptions options, TimeProvider time)
    {
        try
        {
            CreateFile(options.Path);
            var (driver, recovered) = SqliteDriver.Open(options);
            return new SqliteStore(driver, recovered, options, time);
        }
        catch (DllNotFoundException missing)
        {
            throw new StoreOpenException("the SQLite library (libsqlite3.so.0) is not installed: apt-get install libsqlite3-0", missing);
        }
        catch (SqliteException damaged) when (damaged.PrimaryCode is Native.Corrupt or Native.NotADatabase)
        {
            throw new StoreOpenException($"'{options.Path}' is damaged or not a store ({damaged.Message}): restore it from a backup, or move it away to start empty", damaged);
        }
        catch (IOException failed)
        {
            throw new StoreOpenException($"'{options.Path}' cannot be opened: {failed.Message}", failed);
        }
        catch (UnauthorizedAccessException denied)
        {
            throw new StoreOpenException($"'{options.Path}' cannot be opened: {denied.Message} Run as the user that owns it", denied);
        }
    }

    // Before SQLite opens it: secrets are in there, and the log and its index take their mode from the file.
    private static void CreateFile(string path)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory && !Directory.Exists(directory))
            Directory.CreateDirectory(directory, Private | UnixFileMode.UserExecute);
        if (File.Exists(path))
            File.SetUnixFileMode(path, Private);
        else
            new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private }).Dispose();
    }
}
