namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>When the server was not there: from a kill until the next one says that it is Ready.</summary>
internal sealed class Absences(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<(long From, long To)> _all = [];

    internal void Begin()
    {
        lock (_gate)
            _all.Add((time.GetTimestamp(), long.MaxValue));
    }

    /// <returns>How long it was away.</returns>
    internal TimeSpan End()
    {
        lock (_gate)
        {
            _all[^1] = _all[^1] with { To = time.GetTimestamp() };
            return time.GetElapsedTime(_all[^1].From, _all[^1].To);
        }
    }

    /// <summary>How much of a span of time the server was there.</summary>
    internal TimeSpan Present(long from, long to)
    {
        lock (_gate)
            return time.GetElapsedTime(from, to) - TimeSpan.FromTicks(_all.Sum(away => Math.Max(0, time.GetElapsedTime(Math.Max(from, away.From), Math.Min(to, away.To)).Ticks)));
    }
}
