using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>When a container that ended is started again. The figures are the kubelet's: 10 s, doubling to 5 minutes, forgotten after 10 minutes of running.</summary>
internal static class RestartRules
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(10);

    /// <summary>Whether this pod's rules want the container running again after that exit code.</summary>
    public static bool ShouldRestart(Pod pod, Container container, bool isInit, int exitCode)
    {
        if (isInit)
            return container.RestartPolicy == "Always" || (exitCode != 0 && pod.Spec.RestartPolicy != "Never");
        return pod.Spec.RestartPolicy switch
        {
            "Never" => false,
            "OnFailure" => exitCode != 0,
            _ => true,
        };
    }

    /// <summary>The wait before the next start, after so many ends in a row: the first restart is at once.</summary>
    public static TimeSpan Delay(int crashes) =>
        crashes <= 1 ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Min(First.Ticks << Math.Min(crashes - 2, 10), Longest.Ticks));

    /// <summary>The number of ends in a row, now that this one ended too.</summary>
    public static int Count(int before, ContainerInfo ended) =>
        ended.FinishedAt - (ended.StartedAt ?? ended.FinishedAt) >= Forgotten ? 1 : before + 1;

    public static DateTimeOffset NextStart(ContainerInfo ended, int crashes) => (ended.FinishedAt ?? ended.CreatedAt) + Delay(crashes);

    /// <summary>Waits between tries to make a container whose configuration is not there: shorter, because somebody is about to create it.</summary>
    public static DateTimeOffset NextTry(StartFailure failure) =>
        failure.RetryAt ?? failure.At + TimeSpan.FromSeconds(Math.Min(Math.Pow(2, Math.Min(failure.Count - 1, 6)), 30));
}
