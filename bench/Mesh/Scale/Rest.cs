namespace Weft.Bench.Mesh.Scale;

/// <summary>Waits until what was set going has been done, however long it takes.</summary>
internal static class Rest
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    // At rest server and proxy take some hundredths of a core.
    private const double Busy = 0.15;

    /// <returns>Seconds until they were at rest, without the window that showed it.</returns>
    public static async Task<double> OfAsync(BenchCluster cluster, IReadOnlyList<int> processes)
    {
        var started = cluster.Time.GetTimestamp();
        while (cluster.Time.GetElapsedTime(started) < Patience)
        {
            var before = Used();
            var elapsed = cluster.Time.GetElapsedTime(started).TotalSeconds;
            await Task.Delay(Window, cluster.Time);
            if (Used() - before < Busy * Window.TotalSeconds)
                return elapsed;
        }

        throw new TimeoutException("server and proxy do not come to rest");

        double Used()
        {
            var (user, system) = ProcessFigures.ProcessorOf(processes);
            return user + system;
        }
    }
}
