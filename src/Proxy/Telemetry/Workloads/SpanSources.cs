namespace Weft.Proxy.Telemetry.Workloads;

/// <summary>
/// Small numbers for whose spans are, that come and go with workloads. A record may still have the number of one that is gone: it names it until the number's place is given to another, and then nobody, never the other.
/// </summary>
/// <param name="limit">Of workloads' sides at once; those beyond it have the number 0, and no spans.</param>
/// <param name="resting">So many places rest before the first of them is given away again: records that wait to be written find their own.</param>
internal sealed class SpanSources(int limit = 100_000, int resting = 1024)
{
    // The lower bits are the place, the others count how often it was given away.
    private const int PlaceBits = 17, Places = 1 << PlaceBits;

    private readonly Lock _gate = new();
    private readonly Queue<int> _free = new();
    private Slot[] _slots = [new Slot(0, SpanSource.Nobody)];
    private int _count = 1;

    private sealed record Slot(int Number, SpanSource Source);

    public SpanSource this[int number]
    {
        get
        {
            var (slots, place) = (Volatile.Read(ref _slots), number & (Places - 1));
            return place < slots.Length && Volatile.Read(ref slots[place]) is { } slot && slot.Number == number ? slot.Source : SpanSource.Nobody;
        }
    }

    /// <summary>Of somebody's own, until it is given back.</summary>
    public int Take(SpanSource source)
    {
        lock (_gate)
        {
            if (_free.Count > resting || (_count > limit && _free.Count > 0))
            {
                var place = _free.Dequeue();
                var next = (_slots[place].Number + Places) & int.MaxValue;
                Volatile.Write(ref _slots[place], new Slot(next, source));
                return next;
            }

            if (_count > limit || _count == Places)
                return 0;
            if (_count == _slots.Length)
            {
                var larger = new Slot[_count * 2];
                _slots.CopyTo(larger, 0);
                Volatile.Write(ref _slots, larger);
            }

            Volatile.Write(ref _slots[_count], new Slot(_count, source));
            return _count++;
        }
    }

    /// <summary>Once for each number that was taken.</summary>
    public void GiveBack(int number)
    {
        if (number == 0)
            return;
        lock (_gate)
            _free.Enqueue(number & (Places - 1));
    }
}
