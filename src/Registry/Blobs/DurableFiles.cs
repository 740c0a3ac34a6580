using System.Runtime.InteropServices;

namespace Weft.Registry.Blobs;

/// <summary>Files that are there whole or not at all, also after the power has failed: written beside, synced, renamed, and the directory synced.</summary>
internal static partial class DurableFiles
{
    /// <summary>Gives a synced temporary file its name. What has the name already is replaced.</summary>
    public static void Publish(string temporary, string path)
    {
        CreateDirectory(Path.GetDirectoryName(path)!);
        File.Move(temporary, path, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    public static void Write(string path, string temporary, ReadOnlySpan<byte> content)
    {
        using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        Publish(temporary, path);
    }

    // Each new directory is an entry of its parent, which has to reach the disk too.
    private static void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
            return;
        var parent = Path.GetDirectoryName(path)!;
        CreateDirectory(parent);
        Directory.CreateDirectory(path);
        SyncDirectory(parent);
    }

    private static void SyncDirectory(string path)
    {
        var descriptor = Open(path, ReadOnlyDirectory);
        if (descriptor < 0)
            throw new IOException($"cannot open {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            if (Sync(descriptor) != 0)
                throw new IOException($"cannot sync {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private const int ReadOnlyDirectory = 0x80000; // O_RDONLY | O_CLOEXEC (fcntl.h); O_DIRECTORY differs between architectures and is not needed

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
