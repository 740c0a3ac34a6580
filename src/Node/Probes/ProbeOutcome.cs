using Weft.Api;
using Weft.Api.Core;

namespace Weft.Node.Probes;

internal sealed record ProbeOutcome(bool Success, string Message)
{
    public static readonly ProbeOutcome Ok = new(true, "");

    public static ProbeOutcome Failed(string message) => new(false, message);
}

/// <summary>Counts outcomes in a row against the thresholds. Pure.</summary>
internal sealed record ProbeCount(bool Passing, int InARow, bool LastSuccess)
{
    /// <summary>What a probe says before its first threshold: a readiness or startup probe "no", a liveness probe "yes".</summary>
    public static ProbeCount Begin(bool passing) => new(passing, 0, passing);

    public ProbeCount Add(bool success, int successThreshold, int failureThreshold)
    {
        var inARow = success == LastSuccess ? InARow + 1 : 1;
        var reached = inARow >= (success ? Math.Max(successThreshold, 1) : Math.Max(failureThreshold, 1));
        return new(reached ? success : Passing, inARow, success);
    }
}

internal static class ProbeTimes
{
    // The API's defaults.
    public static TimeSpan Period(Probe probe) => TimeSpan.FromSeconds(Math.Max(probe.PeriodSeconds ?? 10, 1));
    public static TimeSpan Timeout(Probe probe) => TimeSpan.FromSeconds(Math.Max(probe.TimeoutSeconds ?? 1, 1));
    public static int FailureThreshold(Probe probe) => Math.Max(probe.FailureThreshold ?? 3, 1);
    public static int SuccessThreshold(Probe probe) => Math.Max(probe.SuccessThreshold ?? 1, 1);

    /// <summary>
    /// The wait before the next try. In its first period a probe that has not succeeded yet is tried again at short, growing intervals, and those
    /// failures do not count: a server that listens after 80 ms is ready after 100 ms and not after a whole period.
    /// </summary>
    public static TimeSpan Next(Probe probe, int tries, TimeSpan sinceFirst, bool eager)
    {
        var period = Period(probe);
        if (!eager || sinceFirst >= period)
            return period;
        var first = probe.Exec is null ? 20 : 250;   // a command costs a process each time
        var wait = TimeSpan.FromMilliseconds(first * Math.Pow(1.5, Math.Min(tries, 20)));
        return wait < period ? wait : period;
    }

    public static bool Counts(Probe probe, TimeSpan sinceFirst, bool eager) => !eager || sinceFirst >= Period(probe);
}

internal static class Ports
{
    /// <summary>The number of a port given by number or by the name of a container port; null: there is no such port.</summary>
    public static int? Resolve(IntOrString port, Container container)
    {
        if (port.IsInt)
            return port.Number is > 0 and < 65536 ? port.Number : null;
        return container.Ports.FirstOrDefault(p => p.Name == port.Text)?.Port ?? (int.TryParse(port.Text, out var number) && number is > 0 and < 65536 ? number : null);
    }
}
