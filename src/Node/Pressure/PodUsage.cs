using System.Globalization;
using Weft.Api.Core;
using Weft.Node.Interop;
using Weft.Node.Pods;

namespace Weft.Node.Pressure;

/// <summary>What a pod takes, from its cgroup and its directories.</summary>
internal sealed class PodUsage(string cgroupParent, PodDirectories directories)
{
    // A volume of more files than this is not counted to its end: it takes too long to do often.
    private const int MaxFiles = 200_000;

    public PodUse Of(Pod pod, bool withDisk)
    {
        var uid = pod.Metadata.Uid!;
        return new(pod, Memory(uid), withDisk ? Disk(directories.Pod(uid)) : 0, Number($"/sys/fs/cgroup/pids{cgroupParent}/pod{uid}/pids.current", $"/sys/fs/cgroup{cgroupParent}/pod{uid}/pids.current"));
    }

    // As the kubelet's working set: without file pages that nobody has touched lately.
    private long Memory(string uid)
    {
        foreach (var (directory, usage, inactive) in new[]
        {
            ($"/sys/fs/cgroup/memory{cgroupParent}/pod{uid}", "memory.usage_in_bytes", "total_inactive_file"),
            ($"/sys/fs/cgroup{cgroupParent}/pod{uid}", "memory.current", "inactive_file"),
        })
        {
            var used = Number(Path.Combine(directory, usage));
            if (used > 0)
                return Math.Max(0, used - Line(Path.Combine(directory, "memory.stat"), inactive));
        }
        return 0;
    }

    /// <summary>Bytes on disk below a directory; links are not followed and other mounts not entered.</summary>
    public static long Disk(string directory)
    {
        long bytes = 0;
        var files = 0;
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        if (!Directory.Exists(directory))
            return 0;
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles("*", options))
        {
            if (++files > MaxFiles)
                break;
            bytes += Libc.AllocatedBytes(file.FullName);
        }
        return bytes;
    }

    private static long Number(params string[] paths)
    {
        foreach (var path in paths)
        {
            if (Text(path) is { } text && long.TryParse(text.Trim(), CultureInfo.InvariantCulture, out var value))
                return value;
        }
        return 0;
    }

    private static long Line(string path, string name) =>
        Text(path)?.Split('\n').FirstOrDefault(l => l.StartsWith(name + " ", StringComparison.Ordinal)) is { } line && long.TryParse(line[(name.Length + 1)..], CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static string? Text(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (IOException)
        {
            return null;   // the pod has ended meanwhile
        }
    }
}
