using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Weft.Cli.Kubeconfigs;

internal static partial class FileOwner
{
    internal static void Set(string path, int user, int group)
    {
        if (ChangeOwner(path, user, group) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot give {path} to user {user}");
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);
}
