namespace Weft.Cli.Clusters;

/// <summary>
/// One cluster at a time chooses its networks, or finds that they are free, in a network namespace: from the look at what is taken until what it took can be seen
/// (<see cref="MachineNetworks.Note"/>), which is a matter of milliseconds. Freed by the kernel when its process ends, however it ends.
/// </summary>
internal static class NetworkChoice
{
    internal const string Busy = "another 'weft up' of this machine is choosing its networks and does not come to an end (is it stopped?): end it, and try again";

    private const int WouldBlock = 11; // EWOULDBLOCK of flock(2)
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), Turn = TimeSpan.FromMilliseconds(5);

    /// <summary>Waits for others. Null when that takes too long.</summary>
    internal static async Task<IDisposable?> TryTakeAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); time.GetElapsedTime(started) < Patience; await Task.Delay(Turn, time, cancellationToken))
        {
            if (TryTake() is { } mine)
                return mine;
        }

        return null;
    }

    /// <summary>Name of this process's network namespace as part of a file's name: `net[4026531840]` (namespaces(7)).</summary>
    internal static string Namespace() => new FileInfo("/proc/self/ns/net").LinkTarget?.Replace(":", "", StringComparison.Ordinal) ?? "net";

    private static FileStream? TryTake()
    {
        try
        {
            // No cluster's own lock: those begin with "weft-" (ClusterLock). The file goes with its last holder.
            return new FileStream(Path.Combine(ClusterPaths.RunPlace, $"weft.{Namespace()}.lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException taken) when (taken.HResult == WouldBlock)
        {
            return null;
        }
    }
}
