using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>
/// The root of a process container: the machine's own `/` below, a small memory file system above. So a pod sees the machine's programs, what it
/// writes (and the mount points that crun makes for its volumes) never lands on the machine, and it is gone with the container.
/// </summary>
internal static class ContainerRoot
{
    /// <summary>Runs on the launcher's thread; the mount lives in the launcher's namespace until <see cref="Unmount"/>, and in the container's after that.</summary>
    /// <returns>False when overlayfs refused: the root is then the machine's own, and cannot be written to.</returns>
    /// <exception cref="IOException">No root could be made that protects the machine.</exception>
    public static bool Mount(string scratch, string target)
    {
        var (upper, work) = (Path.Combine(scratch, "upper"), Path.Combine(scratch, "work"));
        Directory.CreateDirectory(upper);
        Directory.CreateDirectory(work);
        Directory.CreateDirectory(target);
        // The upper layer is on a tmpfs because overlayfs refuses layers that lie within each other, and everything on the root disk lies within `/`.
        if (Libc.mount("overlay", target, "overlay", Libc.MsNodev, $"lowerdir=/,upperdir={upper},workdir={work}") == 0)
            return true;

        // A root that overlayfs cannot stack on (itself an overlay of an older kernel, some network file systems): the machine itself, but read only.
        Mounts.Bind("/", target);
        if (Libc.mount(null, target, null, Libc.MsBind | Libc.MsRemount | Libc.MsRdonly | Libc.MsNodev, null) == 0)
            return false;
        var refused = Libc.Failure($"remount {target} read only", Libc.Errno);
        Unmount(target);
        throw refused;
    }

    public static void Unmount(string target) => Mounts.Unmount(target);

    /// <summary>Disks mounted below `/`, which the lower layer does not contain: they are added read only.</summary>
    public static IReadOnlyList<string> OtherDisks(IReadOnlyList<MountEntry> mounts, IReadOnlyList<string> hidden) =>
    [
        .. mounts.Where(mount => mount.MountPoint != "/"
                && mount.FileSystem is "ext2" or "ext3" or "ext4" or "xfs" or "btrfs" or "zfs" or "f2fs" or "overlay" or "nfs" or "nfs4" or "virtiofs" or "9p" or "erofs" or "squashfs" or "vfat")
            .Select(mount => mount.MountPoint)
            .Where(path => !PathRules.IsWithin(path, "/tmp") && !hidden.Any(other => PathRules.IsWithin(path, other)) && Directory.Exists(path))
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];
}
