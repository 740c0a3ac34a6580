namespace Weft.Cli.Clusters;

/// <summary>One `up` or `down` of a cluster at a time. Freed by the kernel when its process ends, however it ends.</summary>
internal static class ClusterLock
{
    /// <summary>Null when another process holds it.</summary>
    internal static IDisposable? TryTake(ClusterPaths paths)
    {
        var path = Path.Combine("/run", $"weft-{paths.Name}.lock");
        try
        {
            // FileShare.None is an exclusive flock(2) on Linux. The file goes with its last holder.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            return null;
        }
    }

    internal static string Busy(ClusterPaths paths) => $"another 'weft up' or 'weft down' of cluster '{paths.Name}' is at work: wait for it to end";
}
