using System.Numerics;

namespace Weft.Proxy.Transport;

/// <summary>A time at which something is to be done, set and moved at every request. Moving it later, or away, writes one field: the wheel finds out when it comes by.</summary>
internal sealed class LoopTimer(TimerWheel wheel, Action due) : IDisposable
{
    internal LoopTimer? Next, Previous;
    internal int Slot = -1;
    internal long LinkedFor;
    internal readonly Action Due = due;

    /// <summary>Milliseconds of the loop's clock; long.MaxValue: not set.</summary>
    public long At { get; private set; } = long.MaxValue;

    public void Set(long at)
    {
        At = at;
        if (at != long.MaxValue && (Slot < 0 || at < LinkedFor))
            wheel.Link(this, at);
    }

    public void Cancel() => At = long.MaxValue;

    internal void Fire()
    {
        At = long.MaxValue;
        Due();
    }

    public void Dispose()
    {
        At = long.MaxValue;
        wheel.Unlink(this);
    }
}

/// <summary>
/// Timers of one loop by the slot of time in which they are due. Whoever is due after more than a turn is looked at once a turn; with a turn of 16 s that is
/// nothing. Not exact: up to one slot late.
/// </summary>
internal sealed class TimerWheel
{
    private const int Slots = 1024;
    public const int SlotMilliseconds = 16;

    private readonly LoopTimer?[] _slots = new LoopTimer?[Slots];
    private readonly ulong[] _occupied = new ulong[Slots / 64];
    private readonly List<LoopTimer> _later = [];
    private long _turned;   // the slot of time up to which all was fired

    private readonly Action<Exception>? _failed;

    /// <param name="failed">Hears of what a timer throws, and the others go on; null: it is thrown.</param>
    public TimerWheel(long now, Action<Exception>? failed = null) => (_turned, _failed) = (now / SlotMilliseconds, failed);

    /// <summary>Fires what is due.</summary>
    public void Advance(long now)
    {
        var target = now / SlotMilliseconds;
        // More than a turn at once (the machine slept): each slot once.
        var from = Math.Max(_turned + 1, target - Slots + 1);
        _turned = target;
        for (var tick = from; tick <= target; tick++)
        {
            var slot = (int)(tick % Slots);
            if ((_occupied[slot / 64] & (1UL << (slot % 64))) != 0)
                FireSlot(slot, now);
        }
    }

    /// <summary>Milliseconds until there may be something to fire; -1: nothing is set.</summary>
    public int NextIn(long now)
    {
        var start = (int)((_turned + 1) % Slots);
        var word = start / 64;
        var bits = _occupied[word] & (ulong.MaxValue << (start % 64));
        for (var looked = 0; looked <= _occupied.Length; looked++)
        {
            if (bits != 0)
            {
                var slot = (word * 64) + BitOperations.TrailingZeroCount(bits);
                var ahead = (slot - start + Slots) % Slots;
                return (int)Math.Max(0, ((_turned + 1 + ahead) * SlotMilliseconds) - now);
            }

            word = (word + 1) % _occupied.Length;
            bits = _occupied[word];
        }

        return -1;
    }

    internal void Link(LoopTimer timer, long at)
    {
        Unlink(timer);
        // Rounded up, so that a timer is never early; and never into the slot that has just been fired.
        var tick = Math.Max(_turned + 1, (at + SlotMilliseconds - 1) / SlotMilliseconds);
        // One that is due after a turn or later waits in the last slot of this one.
        tick = Math.Min(tick, _turned + Slots - 1);
        var slot = (int)(tick % Slots);
        (timer.Slot, timer.LinkedFor) = (slot, tick * SlotMilliseconds);
        timer.Next = _slots[slot];
        if (timer.Next is { } next)
            next.Previous = timer;
        _slots[slot] = timer;
        _occupied[slot / 64] |= 1UL << (slot % 64);
    }

    internal void Unlink(LoopTimer timer)
    {
        if (timer.Slot < 0)
            return;
        if (timer.Previous is { } previous)
            previous.Next = timer.Next;
        else
            _slots[timer.Slot] = timer.Next;
        if (timer.Next is { } next)
            next.Previous = timer.Previous;
        if (_slots[timer.Slot] is null)
            _occupied[timer.Slot / 64] &= ~(1UL << (timer.Slot % 64));
        (timer.Next, timer.Previous, timer.Slot) = (null, null, -1);
    }

    // Others that are due in this turn would wait for the next one of the wheel, 16 s later.
    private void Fire(LoopTimer timer)
    {
        try
        {
            timer.Fire();
        }
        catch (Exception defect) when (_failed is not null)
        {
            _failed(defect);
        }
    }

    private void FireSlot(int slot, long now)
    {
        // One at a time from the front: what a timer does may unlink any other.
        while (_slots[slot] is { } timer)
        {
            Unlink(timer);
            if (timer.At <= now)
                Fire(timer);
            else if (timer.At != long.MaxValue)
                _later.Add(timer);   // the slot of its next look may be this one
        }

        foreach (var timer in _later)
        {
            if (timer.Slot < 0 && timer.At != long.MaxValue)
                Link(timer, timer.At);
        }

        _later.Clear();
    }
}
