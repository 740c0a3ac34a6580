namespace Weft.Node.Interop;

/// <summary>One line of /proc/self/mountinfo.</summary>
internal sealed record MountEntry(string MountPoint, string FileSystem, string Source, bool Shared);

internal static class Mounts
{
    public static void Bind(string source, string target) => Libc.Check(Libc.mount(source, target, null, Libc.MsBind, null), $"bind mount {source} on {target}");

    public static void Tmpfs(string target, string options) =>
        Libc.Check(Libc.mount("tmpfs", target, "tmpfs", Libc.MsNosuid | Libc.MsNodev, options), $"mount tmpfs on {target}");

    public static void MakeShared(string target) => Libc.Check(Libc.mount(null, target, null, Libc.MsShared, null), $"make {target} a shared mount");

    /// <summary>Detaches whatever is mounted there; nothing mounted is fine.</summary>
    public static void Unmount(string target)
    {
        // Several mounts may lie over each other after an unlucky kill.
        while (Libc.umount2(target, Libc.MntDetach | Libc.UmountNofollow) == 0)
        {
        }
        if (Libc.Errno is not (Libc.Einval or Libc.Enoent or Libc.Enotdir))
            throw Libc.Failure($"unmount {target}", Libc.Errno);
    }

    public static bool IsMountPoint(string path) => List().Any(mount => mount.MountPoint == path);

    public static IReadOnlyList<MountEntry> List() => Parse(File.ReadLines("/proc/self/mountinfo"));

    /// <summary>Format: proc(5), "mountinfo": fields, optional fields, a lone '-', type, source, options.</summary>
    public static IReadOnlyList<MountEntry> Parse(IEnumerable<string> lines)
    {
        var entries = new List<MountEntry>();
        foreach (var line in lines)
        {
            var fields = line.Split(' ');
            var dash = fields.Length > 6 ? Array.IndexOf(fields, "-", 6) : -1;
            if (dash < 0 || fields.Length < dash + 3)
                continue;
            var shared = fields.AsSpan(6, dash - 6).ToArray().Any(f => f.StartsWith("shared:", StringComparison.Ordinal));
            entries.Add(new(Unescape(fields[4]), fields[dash + 1], Unescape(fields[dash + 2]), shared));
        }
        return entries;
    }

    private static string Unescape(string field) =>
        field.Contains('\\', StringComparison.Ordinal)
            ? field.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal).Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal)
            : field;
}
