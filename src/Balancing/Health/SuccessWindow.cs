namespace Weft.Balancing.Health;

/// <summary>
/// Successes and failures of the last while, in slots of time that are overwritten in turn. Immutable in size; written by one aggregator, not on
/// the path of a request.
/// </summary>
/// <param name="slots">Parts of the window; the oldest part falls out as a whole.</param>
/// <param name="slotTicks">Length of a part, in ticks of the caller's clock.</param>
public sealed class SuccessWindow(int slots, long slotTicks)
{
    private readonly long[] _good = new long[slots];
    private readonly long[] _bad = new long[slots];
    private long _slot = long.MinValue;

    public void Add(long now, long good, long bad)
    {
        Advance(now);
        var i = (int)(_slot % slots);
        _good[i] += good;
        _bad[i] += bad;
    }

    /// <summary>The share of successes; NaN with fewer than <paramref name="least"/> requests in the window.</summary>
    public double Ratio(long now, long least = 1)
    {
        Advance(now);
        var (good, bad) = (_good.Sum(), _bad.Sum());
        return good + bad < Math.Max(least, 1) ? double.NaN : good / (double)(good + bad);
    }

    public long Requests(long now)
    {
        Advance(now);
        return _good.Sum() + _bad.Sum();
    }

    private void Advance(long now)
    {
        var slot = now / slotTicks;
        if (_slot == long.MinValue)
            _slot = slot;
        for (var clear = Math.Max(_slot + 1, slot - slots + 1); clear <= slot; clear++)
            (_good[clear % slots], _bad[clear % slots]) = (0, 0);
        _slot = Math.Max(_slot, slot);
    }
}
