using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Health;

/// <summary>What checks have said of one endpoint so far. Immutable: each answer gives the next.</summary>
/// <param name="Healthy">Null: not asked yet.</param>
/// <param name="Against">Checks in a row that contradict it.</param>
internal readonly record struct HealthJudge(bool? Healthy, int Against)
{
    /// <summary>The first answer decides at once: a new endpoint that is well must not wait, and one that is not must not be asked by clients.</summary>
    public HealthJudge Next(bool passed, HealthCheckConfig check)
    {
        if (Healthy is not { } healthy)
            return new(passed, 0);
        if (passed == healthy)
            return new(healthy, 0);
        var against = Against + 1;
        return against >= Math.Max(1, passed ? check.Healthy : check.Unhealthy) ? new(passed, 0) : new(healthy, against);
    }

    /// <summary>Time to the next check.</summary>
    /// <param name="chance">0 up to 1.</param>
    public TimeSpan Wait(HealthCheckConfig check, double chance)
    {
        var interval = Healthy == false ? check.UnhealthyInterval ?? check.Interval : check.Interval;
        return interval + (interval * (check.Jitter * chance));
    }
}
