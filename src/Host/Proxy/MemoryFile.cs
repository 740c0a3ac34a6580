using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weft.Host.Proxy;

/// <summary>Bytes behind a descriptor and nowhere else (memfd_create(2)): they can be handed to another process, and are gone with the last one that has them.</summary>
internal static partial class MemoryFile
{
    private const uint CloseOnExec = 1; // MFD_CLOEXEC

    /// <exception cref="IOException">The machine is out of something.</exception>
    public static SafeFileHandle Of(ReadOnlySpan<byte> content)
    {
        var handle = new SafeFileHandle(memfd_create("weft", CloseOnExec), ownsHandle: true);
        if (handle.IsInvalid)
            throw new IOException($"memfd_create: {Marshal.GetLastPInvokeErrorMessage()}");
        RandomAccess.Write(handle, content, 0);
        return handle;
    }

    /// <summary>All of it, wherever others who share it have read to.</summary>
    public static byte[] Read(SafeFileHandle handle)
    {
        var content = new byte[RandomAccess.GetLength(handle)];
        var read = 0;
        while (read < content.Length && RandomAccess.Read(handle, content.AsSpan(read), read) is var more and > 0)
            read += more;
        return content[..read];
    }

#pragma warning disable IDE1006, SYSLIB1054 // the C library's own name
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);
#pragma warning restore IDE1006, SYSLIB1054
}
