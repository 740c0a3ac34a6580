namespace Weft.Storage.Sqlite;

/// <summary>Keeps a second process (and a second store of this one) off the file. The kernel lets go of it when the process dies.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _file;

    public FileLock(string path)
    {
        var lockPath = path + ".lock";
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB).
            _file = new FileStream(lockPath, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (IOException busy) when (File.Exists(lockPath))
        {
            throw new StoreOpenException($"'{path}' is in use{Holder(lockPath)}: stop that process, or take another data directory", busy);
        }

        _file.SetLength(0);
        _file.Write(System.Text.Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"));
        _file.Flush();
    }

    public void Dispose() => _file.Dispose();

    private static string Holder(string lockPath)
    {
        try
        {
            // FileShare.ReadWrite asks for no lock.
            using var file = new FileStream(lockPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            return int.TryParse(reader.ReadLine(), out var pid) ? $" by process {pid}" : "";
        }
        catch (IOException)
        {
            return ""; // only who holds it is unknown
        }
    }
}
