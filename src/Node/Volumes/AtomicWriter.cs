using Weft.Node.Interop;

namespace Weft.Node.Volumes;

/// <summary>
/// Writes the files of a volume so that a reader sees the old set or the new set. The files stand in a directory of their own that the link
/// `..data` names; the names a user sees are links through it. An update writes a new directory and renames one link.
/// </summary>
internal static class AtomicWriter
{
    private const string Data = "..data";

    /// <summary>True when something changed. Whole or not at all.</summary>
    /// <param name="group">Group of every file (fsGroup), with read access for it; null: root's.</param>
    public static bool Write(string volume, IReadOnlyList<VolumeFile> files, uint? group, string stamp)
    {
        var root = new DirectoryInfo(volume);
        if (root.LinkTarget is not null)
            throw new VolumeException($"{volume} is a link: refusing to write through it");   // CVE-2017-1002102
        Directory.CreateDirectory(volume);
        Libc.Check(Libc.chmod(volume, 0b111_101_101 | (group is null ? 0u : 0b010_000_000_000)), $"chmod {volume}");

        var link = Path.Combine(volume, Data);
        var current = new FileInfo(link).LinkTarget;
        if (current is not null && IsSame(Path.Combine(volume, current), files))
        {
            Show(volume, files, current);   // an earlier run may have been killed before it came to this
            return false;
        }

        var name = ".." + stamp;
        var next = Path.Combine(volume, name);
        // A directory that an unlucky run left half written.
        if (Directory.Exists(next))
            Directory.Delete(next, recursive: true);
        Directory.CreateDirectory(next);
        foreach (var file in files)
            WriteFile(next, file, group);
        if (group is { } gid)
            Libc.Check(Libc.lchown(volume, 0, gid), $"chown {volume}");

        var temporary = Path.Combine(volume, Data + "_tmp");
        File.Delete(temporary);
        File.CreateSymbolicLink(temporary, name);
        Libc.Check(Libc.rename(temporary, link), $"rename {temporary}");
        Show(volume, files, name);
        return true;
    }

    // The links that a user sees, and nothing of older sets.
    private static void Show(string volume, IReadOnlyList<VolumeFile> files, string name)
    {
        var names = files.Select(f => f.Path.Split('/')[0]).ToHashSet();
        foreach (var shown in names.Where(n => !Path.Exists(Path.Combine(volume, n)) && new FileInfo(Path.Combine(volume, n)).LinkTarget is null))
            File.CreateSymbolicLink(Path.Combine(volume, shown), Data + "/" + shown);
        foreach (var entry in Directory.EnumerateFileSystemEntries(volume).Select(e => Path.GetFileName(e)!).Where(e => !e.StartsWith("..", StringComparison.Ordinal) && !names.Contains(e)).ToList())
            File.Delete(Path.Combine(volume, entry));
        foreach (var old in Directory.EnumerateDirectories(volume).Where(d => Path.GetFileName(d) is var n && n.StartsWith("..", StringComparison.Ordinal) && n != name && new DirectoryInfo(d).LinkTarget is null).ToList())
            Directory.Delete(old, recursive: true);
    }

    private static void WriteFile(string directory, VolumeFile file, uint? group)
    {
        var path = Path.Combine(directory, file.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var mode = file.Mode | (group is null ? 0 : 0b100_100_000);
        using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        RandomAccess.Write(handle, file.Content.Span, 0);
        var fd = (int)handle.DangerousGetHandle();
        if (group is { } gid)
            Libc.Check(Libc.fchown(fd, 0, gid), $"chown {path}");
        Libc.Check(Libc.fchmod(fd, (uint)mode), $"chmod {path}");
    }

    private static bool IsSame(string directory, IReadOnlyList<VolumeFile> files)
    {
        if (!Directory.Exists(directory))
            return false;
        var there = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(directory, f)).ToHashSet();
        return there.SetEquals(files.Select(f => f.Path)) && files.All(f => File.ReadAllBytes(Path.Combine(directory, f.Path)).AsSpan().SequenceEqual(f.Content.Span));
    }
}
