using System.Runtime.InteropServices;

namespace Weft.Storage.Sqlite;

/// <summary>What SQLite answered, with its extended code (sqlite.org/rescode.html).</summary>
internal sealed class SqliteException(int code, string message) : IOException($"SQLite error {code}: {message}")
{
    // errno(3)
    private const int NoSpace = 28, Quota = 122;

    public int Code => code;

    public int PrimaryCode => code & 0xff;

    /// <summary>Full disk is a state that passes, and nothing was written; everything else is for the caller of the store to know.</summary>
    public static IOException From(nint connection, int code, string what)
    {
        var message = $"{Marshal.PtrToStringUTF8(Native.ErrorMessage(connection))} ({what})";
        // A failed fsync is never a full disk: the kernel may have dropped the dirty pages, whatever errno says.
        var synced = code is Native.IoErrorFsync or Native.IoErrorDirFsync;
        var noSpace = (code & 0xff) == Native.IoError && Native.SystemErrno(connection) is NoSpace or Quota;
        return !synced && ((code & 0xff) == Native.Full || noSpace)
            ? new DiskFullException("the disk of the store is full")
            : new SqliteException(code, message);
    }
}
