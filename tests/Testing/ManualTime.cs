namespace Weft.Testing;

/// <summary>
/// A clock that stands still until a test moves it. Timers that fall due fire inside <see cref="Advance"/>, in order of their due time,
/// so that what follows the call can assert on their effect. Thread-safe: the code under test makes timers from its own threads.
/// </summary>
public sealed class ManualTime : TimeProvider
{
    /// <summary>An arbitrary instant in whole seconds, as Kubernetes times are.</summary>
    public static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = Start;
    private TimeSpan _slept;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return _now + _slept;
    }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Monotonic: it does not count what <see cref="Sleep"/> skips, as CLOCK_MONOTONIC.</summary>
    public override long GetTimestamp()
    {
        lock (_gate)
            return _now.Ticks;
    }

    /// <summary>Number of timers that are set and not yet due: lets a test wait until the code under test has gone to sleep.</summary>
    public int PendingTimers
    {
        get
        {
            lock (_gate)
                return _timers.Count;
        }
    }

    /// <summary>The machine sleeps: the wall clock goes on, the monotonic clock and all timers stand still.</summary>
    public void Sleep(TimeSpan by)
    {
        lock (_gate)
            _slept += by;
    }

    /// <summary>Moves the clock on, firing each timer at the instant for which it was set.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        DateTimeOffset target;
        lock (_gate)
            target = _now + by;
        while (true)
        {
            ManualTimer? due;
            lock (_gate)
            {
                due = _timers.Where(timer => timer.Due <= target).MinBy(timer => timer.Due);
                if (due is null)
                {
                    _now = target;
                    return;
                }

                if (due.Due > _now)
                    _now = due.Due;
                if (due.Period == Timeout.InfiniteTimeSpan)
                    _timers.Remove(due);
                else
                    due.Due += due.Period;
            }

            due.Fire(); // outside the lock: the callback may set timers
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private bool _disposed;

        public DateTimeOffset Due { get; set; }
        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                if (_disposed)
                    return false;
                time._timers.Remove(this);
                Period = period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : period;
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                Due = time._now + dueTime;
                if (dueTime > TimeSpan.Zero)
                {
                    time._timers.Add(this);
                    return true;
                }

                if (Period != Timeout.InfiniteTimeSpan)
                {
                    Due += Period;
                    time._timers.Add(this);
                }
            }

            // Due at once: as the real clock does, on another thread.
            ThreadPool.UnsafeQueueUserWorkItem(static timer => timer.Fire(), this, preferLocal: false);
            return true;
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                _disposed = true;
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
