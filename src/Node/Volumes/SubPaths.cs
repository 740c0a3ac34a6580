using Weft.Node.Interop;

namespace Weft.Node.Volumes;

/// <summary>
/// A directory or file below a volume, for `subPath`. Containers can write to the volume and plant links in it, even between a check and the mount
/// (CVE-2017-1002101, CVE-2021-25741). So the kernel resolves the path and refuses to leave the volume, and what it opened is pinned by a mount.
/// </summary>
internal static class SubPaths
{
    /// <returns>The pinned place, to be mounted into the container.</returns>
    /// <exception cref="VolumeException">It leads out of the volume, or cannot be made.</exception>
    public static string Pin(string volume, string sub, string pin)
    {
        VolumePaths.Check(sub);
        var root = Libc.Check(Libc.open(volume, Libc.OPath | Libc.ODirectory | Libc.OCloexec, 0), $"open {volume}");
        try
        {
            var fd = Libc.OpenBeneath(root, sub, Libc.OPath | Libc.OCloexec);
            if (fd < 0 && Libc.Errno == Libc.Enoent)
            {
                MakeDirectories(root, sub);
                fd = Libc.OpenBeneath(root, sub, Libc.OPath | Libc.OCloexec);
            }
            if (fd < 0)
                throw new VolumeException($"subPath '{sub}' cannot be opened inside the volume: {Libc.Failure("openat2", Libc.Errno).Message}");
            try
            {
                // A container that may make devices must not get one of the machine's through a volume.
                if ((Libc.Describe(fd).Mode & 0xF000) is 0x2000 or 0x6000)
                    throw new VolumeException($"subPath '{sub}' is a device: only files and directories can be mounted");
                var opened = $"/proc/self/fd/{fd}";
                Directory.CreateDirectory(Path.GetDirectoryName(pin)!);
                Mounts.Unmount(pin);
                if (Directory.Exists(opened))
                    Directory.CreateDirectory(pin);
                else
                    File.WriteAllBytes(pin, []);
                Mounts.Bind(opened, pin);
                return pin;
            }
            finally
            {
                _ = Libc.close(fd);
            }
        }
        finally
        {
            _ = Libc.close(root);
        }
    }

    private static void MakeDirectories(int root, string sub)
    {
        var made = "";
        foreach (var part in sub.Split('/'))
        {
            var parent = made.Length == 0 ? Libc.OpenBeneath(root, ".", Libc.OPath | Libc.OCloexec) : Libc.OpenBeneath(root, made, Libc.OPath | Libc.OCloexec);
            if (parent < 0)
                return;   // the open that follows says why
            _ = Libc.mkdirat(parent, part, 0b111_101_101);
            _ = Libc.close(parent);
            made = made.Length == 0 ? part : made + "/" + part;
        }
    }
}
