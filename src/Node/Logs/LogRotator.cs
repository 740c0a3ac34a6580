using Microsoft.Extensions.Logging;
using Weft.Node.Runtime;

namespace Weft.Node.Logs;

/// <summary>
/// Keeps the logs of running containers within their bound. Every log is looked at once a second, one that floods ten times as often, so that a
/// container fills the disk by what it writes in 100 ms, not in the kubelet's 10 s.
/// </summary>
internal sealed partial class LogRotator(IReadOnlyList<Func<IPodRuntime?>> runtimes, TimeProvider time, ILogger<LogRotator> logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Flooded = TimeSpan.FromMilliseconds(100);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var rotated = 0;
                foreach (var runtime in runtimes)
                {
                    if (runtime() is { } there)
                        rotated += await LookAsync(there, cancellationToken);
                }
                await Task.Delay(rotated > 0 ? Flooded : Period, time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    /// <returns>How many logs were full.</returns>
    internal async Task<int> LookAsync(IPodRuntime runtime, CancellationToken cancellationToken)
    {
        var rotated = 0;
        try
        {
            foreach (var container in (await runtime.ListAsync(cancellationToken)).Containers.Where(c => c.State == RunState.Running && LogRotation.IsDue(c.LogPath)))
            {
                try
                {
                    LogRotation.Shift(container.LogPath);
                    await runtime.ReopenLogAsync(container.Id, cancellationToken);
                    rotated++;
                }
                catch (Exception e) when (e is IOException or RuntimeException)
                {
                    Log.RotationFailed(logger, container.LogPath, e);
                }
            }
        }
        catch (Exception e) when (e is RuntimeException or IOException or HttpRequestException)
        {
            Log.NotLooked(logger, runtime.Name, e.Message);
        }
        return rotated;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Log {Path} could not be rotated", EventName = nameof(RotationFailed))]
        public static partial void RotationFailed(ILogger logger, string path, Exception error);

        [LoggerMessage(LogLevel.Debug, "Logs of runtime {Runtime} could not be looked at: {Cause}", EventName = nameof(NotLooked))]
        public static partial void NotLooked(ILogger logger, string runtime, string cause);
    }
}
