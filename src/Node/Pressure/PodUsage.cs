using Weft.Api.Core;
using Weft.Node.Interop;
using Weft.Node.Pods;
using Weft.Node.Usage;

namespace Weft.Node.Pressure;

/// <summary>What a pod takes, from its cgroup and its directories.</summary>
internal sealed class PodUsage(string cgroupParent, PodDirectories directories)
{
    // A volume of more files than this is not counted to its end: it takes too long to do often.
    private const int MaxFiles = 200_000;

    private readonly CgroupFigures _figures = new();

    public PodUse Of(Pod pod, bool withDisk)
    {
        var uid = pod.Metadata.Uid!;
        var cgroup = $"{cgroupParent}/pod{uid}";
        return new(pod, _figures.WorkingSet(cgroup) ?? 0, withDisk ? Disk(directories.Pod(uid)) : 0, _figures.Processes(cgroup) ?? 0);
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
}
