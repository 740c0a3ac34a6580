using System.Globalization;
using Weft.Cli.Processes;

namespace Weft.Cli.Clusters;

/// <summary>Waits until a server, or an agent, says in its state file that it is ready; shows its steps on the way.</summary>
internal sealed class ReadyWait(TimeProvider time, TextWriter output)
{
    /// <returns>The sentence for the user, or null when it is ready.</returns>
    internal async Task<string?> WaitAsync(ClusterPaths paths, ProcessIdentity supervisor, long started, TimeSpan patience, CancellationToken cancellationToken)
    {
        var shown = ServerPhase.Starting;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5), time);
        while (await tick.WaitForNextTickAsync(cancellationToken))
        {
            var state = ServerState.Load(paths.ServerFile);
            var elapsed = time.GetElapsedTime(started);
            if (state is { Phase: ServerPhase.Failed })
                return $"{state.Message}\n(the log is {paths.Log})";
            if (state is { Process.IsAlive: true } && state.Phase > shown)
            {
                shown = state.Phase;
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {elapsed.TotalSeconds,5:0.00} s  {state.Message}"));
            }

            if (shown == ServerPhase.Ready)
                return null;
            if (!supervisor.IsAlive)
                return $"it did not start; the end of {paths.Log} says why:\n{Tail(paths.Log)}";
            if (elapsed > patience)
                return $"not ready after {patience.TotalSeconds:0} s; the end of {paths.Log} says why:\n{Tail(paths.Log)}";
        }

        return "cancelled";
    }

    private static string Tail(string log) => File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(15)) : "(the log is empty)";
}
