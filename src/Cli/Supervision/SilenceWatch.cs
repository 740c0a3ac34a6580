namespace Weft.Cli.Supervision;

/// <summary>
/// Whether a run that says now and then that it goes on (<see cref="Proxies.HotRestart.WorkerOrders.Alive"/>) has been silent for longer than it said itself. Counted in looks and not by a clock: where the supervisor
/// was stopped as well, or the machine slept, nobody has been silent. Who has never said so may be silent for ever.
/// </summary>
internal sealed class SilenceWatch
{
    /// <summary>Between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private TimeSpan _limit;
    private int _silentLooks;

    /// <param name="limit">Zero: no more is promised.</param>
    public void Heard(TimeSpan limit)
    {
        lock (_gate)
            (_limit, _silentLooks) = (limit, 0);
    }

    /// <returns>For how long nothing was heard, when that is too long; null: it is not.</returns>
    public TimeSpan? Look()
    {
        lock (_gate)
            return _limit > TimeSpan.Zero && ++_silentLooks * Interval >= _limit ? _silentLooks * Interval : null;
    }
}
