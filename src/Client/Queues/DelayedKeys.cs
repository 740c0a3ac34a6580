namespace Weft.Client;

/// <summary>Keys that become ready later: a heap and one timer, set for the earliest of them.</summary>
internal sealed class DelayedKeys<TKey> : IDisposable where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<TKey, long> _heap = new();
    private readonly Dictionary<TKey, long> _due = [];
    private readonly TimeProvider _time;
    private readonly Action<TKey> _ready;
    private readonly ITimer _timer;
    private long _timerDue = long.MaxValue;
    private bool _disposed;

    public DelayedKeys(TimeProvider time, Action<TKey> ready)
    {
        _time = time;
        _ready = ready;
        _timer = time.CreateTimer(static self => ((DelayedKeys<TKey>)self!).Release(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(TKey key, TimeSpan delay)
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            var due = _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);
            if (_due.TryGetValue(key, out var earlier) && earlier <= due)
                return;
            _due[key] = due;
            _heap.Enqueue(key, due); // an entry that was overtaken stays in the heap and is skipped in Release
            SetTimer();
        }
    }

    private void Release()
    {
        var ready = new List<TKey>();
        lock (_gate)
        {
            if (_disposed)
                return;
            _timerDue = long.MaxValue;
            var now = _time.GetTimestamp();
            while (_heap.TryPeek(out var key, out var due))
            {
                if (due > now)
                    break;
                _heap.Dequeue();
                if (_due.TryGetValue(key, out var current) && current == due)
                {
                    _due.Remove(key);
                    ready.Add(key);
                }
            }

            SetTimer();
        }

        foreach (var key in ready)
            _ready(key);
    }

    private void SetTimer()
    {
        if (!_heap.TryPeek(out _, out var due) || due >= _timerDue)
            return;
        _timerDue = due;
        var wait = Math.Max(0, due - _time.GetTimestamp());
        // A timer of the runtime counts whole milliseconds and cuts the rest off: round up, or it would fire early and be set again.
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait * 1000.0 / _time.TimestampFrequency)), Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        lock (_gate)
            _disposed = true;
        _timer.Dispose();
    }
}
