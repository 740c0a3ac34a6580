namespace Weft.Control.Lifecycle;

/// <summary>
/// Finds out that this process itself stood still: a laptop that slept, a stopped process, a paused machine. Then nobody's silence means
/// anything. A sleep shows as wall time that the monotonic clock did not count; a stopped process as a tick that came far too late. Pure.
/// </summary>
internal sealed class PauseDetector(TimeSpan period)
{
    // Ticks of a loaded machine come late by seconds; clocks are corrected by fractions of one.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Drift = TimeSpan.FromSeconds(10);

    private (DateTimeOffset Wall, TimeSpan Monotonic)? _last;

    /// <returns>True when time passed since the last tick in which this process did not run.</returns>
    public bool Tick(DateTimeOffset wall, TimeSpan monotonic)
    {
        var last = _last;
        _last = (wall, monotonic);
        if (last is not { } before)
            return false;
        var ran = monotonic - before.Monotonic;
        return ran > period + Late || (wall - before.Wall) - ran > Drift;
    }
}
