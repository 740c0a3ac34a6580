namespace Weft.Cli.Clusters;

/// <summary>
/// One new cluster at a time in a network namespace. Its networks are those that no route touches (<see cref="AddressPlan"/>), and its own routes are there when it is ready: two that are made at once
/// would choose the same. Freed by the kernel when its process ends, however it ends.
/// </summary>
internal static class NetworkChoice
{
    private const int WouldBlock = 11; // EWOULDBLOCK of flock(2)

    // Several may stand before this one, and each has a minute and a half.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5), Turn = TimeSpan.FromMilliseconds(20), Silence = TimeSpan.FromSeconds(1);

    /// <summary>Waits while another cluster is made, and says so. Null when that takes minutes.</summary>
    internal static async Task<IDisposable?> TryTakeAsync(TimeProvider time, TextWriter output, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var told = false;
        while (true)
        {
            if (TryTake() is { } mine)
                return mine;
            var waited = time.GetElapsedTime(started);
            if (waited > Patience)
                return null;
            if (!told && waited > Silence)
            {
                output.WriteLine("  waiting for another new cluster of this machine to be ready: it takes its networks first");
                told = true;
            }

            await Task.Delay(Turn, time, cancellationToken);
        }
    }

    internal const string Busy = "another 'weft up' of this machine has been making a cluster for minutes: wait for it to end, or end it";

    // "net:[4026531840]" (namespaces(7)). No cluster's own lock: those begin with "weft-" (ClusterLock).
    private static string FileName() => $"/run/weft.{new FileInfo("/proc/self/ns/net").LinkTarget?.Replace(":", "", StringComparison.Ordinal)}.lock";

    private static FileStream? TryTake()
    {
        try
        {
            return new FileStream(FileName(), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException taken) when (taken.HResult == WouldBlock)
        {
            return null;
        }
    }
}
