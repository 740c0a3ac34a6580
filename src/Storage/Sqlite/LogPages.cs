using System.Runtime.InteropServices;

namespace Weft.Storage.Sqlite;

/// <summary>How many pages the write-ahead log has, as SQLite says after each commit.</summary>
internal sealed unsafe class LogPages : IDisposable
{
    private int* _count;

    public LogPages(Connection connection)
    {
        _count = (int*)NativeMemory.AllocZeroed(sizeof(int));
        Native.WalHook(connection.Handle, &OnCommit, (nint)_count);
    }

    public int Count => *_count;

    /// <summary>After the connection is closed.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_count);
        _count = null;
    }

    [UnmanagedCallersOnly]
    private static int OnCommit(nint state, nint connection, byte* schema, int pages)
    {
        *(int*)state = pages;
        return Native.Ok;
    }
}
