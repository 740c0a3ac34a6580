using Weft.Node.Interop;

namespace Weft.Node.Volumes;

/// <summary>
/// Gives a volume's files to the pod's fsGroup: group, read and write for it, and directories that hand the group on. Containers may be writing there
/// meanwhile, so nothing is reached by a path that they could turn into a link: each entry is opened below the volume, without following, and changed
/// through that descriptor. Devices and other mounts below are left alone.
/// </summary>
internal static class FsGroup
{
    private const uint FileBits = 0b110_110_000, DirectoryBits = 0b010_110_111_000;   // the kubelet's: rw for files; rwx and setgid for directories
    private const uint TypeMask = 0xF000, Regular = 0x8000, DirectoryType = 0x4000, Character = 0x2000, Block = 0x6000;

    /// <param name="onlyOnMismatch">`OnRootMismatch`: a volume whose root is right already is taken as right.</param>
    public static void Apply(string volume, uint gid, bool onlyOnMismatch)
    {
        var root = Libc.Check(Libc.open(volume, Libc.OPath | Libc.ODirectory | Libc.OCloexec, 0), $"open {volume}");
        try
        {
            var own = Libc.Describe(root);
            if (onlyOnMismatch && own.Gid == gid && (own.Mode & DirectoryBits) == DirectoryBits)
                return;
            var directories = new Stack<string>(["."]);
            while (directories.TryPop(out var directory))
                Children(root, directory, gid, directories);
            // Last, so that an interrupted run is not taken for a finished one.
            Change(root, own.Mode, gid);
        }
        finally
        {
            _ = Libc.close(root);
        }
    }

    private static void Children(int root, string directory, uint gid, Stack<string> directories)
    {
        var fd = Libc.OpenBeneath(root, directory, Libc.OPath | Libc.ODirectory | Libc.ONofollow | Libc.OCloexec, sameMount: true);
        if (fd < 0)
            return;   // gone, or another thing by now
        try
        {
            foreach (var name in Directory.EnumerateFileSystemEntries($"/proc/self/fd/{fd}").Select(Path.GetFileName))
            {
                var entry = Libc.OpenBeneath(fd, name!, Libc.OPath | Libc.ONofollow | Libc.OCloexec, sameMount: true);
                if (entry < 0)
                    continue;
                try
                {
                    var mode = Libc.Describe(entry).Mode;
                    Change(entry, mode, gid);
                    if ((mode & TypeMask) == DirectoryType)
                        directories.Push(directory == "." ? name! : directory + "/" + name);
                }
                finally
                {
                    _ = Libc.close(entry);
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Removed while it was read.
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    private static void Change(int fd, uint mode, uint gid)
    {
        var type = mode & TypeMask;
        if (type is Character or Block)
            return;
        Libc.Check(Libc.ChangeGroup(fd, gid), "change the group of a file in the volume");
        if (type is Regular or DirectoryType)
            Libc.Check(Libc.chmod($"/proc/self/fd/{fd}", (mode & 0xFFF) | (type == DirectoryType ? DirectoryBits : FileBits)), "change the mode of a file in the volume");
    }
}
