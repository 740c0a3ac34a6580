namespace Weft.Node.Interop;

/// <summary>
/// Deletes directories with everything in them, but nothing of what is mounted there: a container with a Bidirectional volume may have mounted a
/// disk below it, and that disk's content is not the pod's. Every recursive delete of a pod's or node's directories goes through here.
/// </summary>
internal static class DirectoryRemoval
{
    /// <summary>What is not there is fine.</summary>
    /// <exception cref="IOException">A mount could not be detached, so nothing was deleted; or a file could not be deleted.</exception>
    public static void Delete(params IReadOnlyList<string> directories)
    {
        var there = directories.Where(Directory.Exists).ToList();
        if (there.Count == 0)
            return;
        // A link is deleted, never followed: what is mounted behind it stays as it is.
        var real = there.Where(d => new DirectoryInfo(d).LinkTarget is null).Select(RealPath).ToList();
        if (Detach(real) && Within(Mounts.List(), real).FirstOrDefault() is { } left)
            throw new IOException($"{left.MountPoint} is still mounted: nothing of {string.Join(", ", there)} was deleted; unmount it (umount {left.MountPoint}) and it is tried again");
        foreach (var directory in there)
            Directory.Delete(directory, recursive: true);
    }

    private static bool Detach(List<string> directories)
    {
        // Deepest first; of two at one place the later line lies above.
        var mounts = Within(Mounts.List(), directories).Reverse().OrderByDescending(m => m.MountPoint.Length).ToList();
        foreach (var mount in mounts)
            Mounts.Unmount(mount.MountPoint);
        return mounts.Count > 0;
    }

    private static IEnumerable<MountEntry> Within(IReadOnlyList<MountEntry> mounts, List<string> directories) =>
        mounts.Where(m => directories.Any(d => Runtime.Process.PathRules.IsWithin(m.MountPoint, d)));

    // The mount table has paths without links.
    private static string RealPath(string directory)
    {
        var fd = Libc.Check(Libc.open(directory, Libc.OPath | Libc.ODirectory | Libc.OCloexec, 0), $"open {directory}");
        try
        {
            return new FileInfo($"/proc/self/fd/{fd}").LinkTarget ?? directory;
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }
}
