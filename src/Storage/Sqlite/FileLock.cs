using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Weft.Storage.Sqlite;

/// <summary>
/// Keeps a second process (and a second store of this one) off the file. The kernel lets go of it when the process dies.
/// By open(2) and flock(2), because a file that .NET holds alone cannot be read by another .NET process, and the number in it says who holds it.
/// </summary>
internal sealed partial class FileLock : IDisposable
{
    private const int ReadWrite = 0x2, Create = 0x40, CloseOnExec = 0x80000, OwnerOnly = 0x180; // O_*, mode 0600
    private const int Exclusive = 2, NonBlocking = 4, Unlock = 8; // LOCK_*

    private readonly SafeFileHandle _file;

    public FileLock(string path)
    {
        var file = Open(path + ".lock", ReadWrite | Create | CloseOnExec, OwnerOnly);
        if (file < 0)
            throw new StoreOpenException($"'{path}' cannot be opened: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}: '{path}.lock'");

        _file = new SafeFileHandle(file, ownsHandle: true);
        if (Lock(file, Exclusive | NonBlocking) < 0)
        {
            var holder = Holder();
            _file.Dispose();
            throw new StoreOpenException($"'{path}' is in use{holder}: stop that process, or take another data directory");
        }

        RandomAccess.SetLength(_file, 0);
        RandomAccess.Write(_file, Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"), 0);
    }

    public void Dispose()
    {
        // Not only closed: a child that was forked this moment and has not yet called exec still has the file open, and with it the lock.
        _ = Lock((int)_file.DangerousGetHandle(), Unlock);
        _file.Dispose();
    }

    private string Holder()
    {
        Span<byte> content = stackalloc byte[16];
        var length = RandomAccess.Read(_file, content, 0);
        return int.TryParse(content[..length].TrimEnd((byte)'\n'), out var pid) ? $" by process {pid}" : "";
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(int file, int operation);
}
