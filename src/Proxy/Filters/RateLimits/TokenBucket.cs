namespace Weft.Proxy.Filters.RateLimits;

/// <summary>How fast buckets fill and how much they hold, in nanoseconds.</summary>
/// <param name="Interval">Time for one token.</param>
/// <param name="Capacity">Time for all of them.</param>
internal readonly record struct BucketRate(long Interval, long Capacity)
{
    public static BucketRate Of(int requests, TimeSpan per, int burst)
    {
        // At least a nanosecond: more than 10^9 requests/s is no limit.
        var interval = Math.Max(1, (long)(per.TotalNanoseconds / requests));
        return new(interval, interval * Math.Max(1, burst == 0 ? requests : burst));
    }
}

/// <summary>
/// A bucket of tokens in one number: the time at which it will be full again (the GCRA of ATM Forum TM 4.0, section 4.4.2). Taking a token moves that time by one interval; there
/// is none left when it would be further away than filling takes. So loops share it by one compare-and-swap.
/// </summary>
internal sealed class TokenBucket
{
    private long _fullAt = long.MinValue;

    /// <summary>Whether anything is missing from it: a full one need not be remembered.</summary>
    public bool IsFull(long now) => Volatile.Read(ref _fullAt) <= now;

    /// <summary>Asked since the last look (<see cref="BucketTable"/>).</summary>
    public bool Touched { get; set; }

    public bool TryTake(in BucketRate rate, long now)
    {
        while (true)
        {
            var before = Volatile.Read(ref _fullAt);
            var after = Math.Max(before, now) + rate.Interval;
            if (after - now > rate.Capacity)
                return false;
            if (Interlocked.CompareExchange(ref _fullAt, after, before) == before)
                return true;
        }
    }

    public int Remaining(in BucketRate rate, long now) => (int)Math.Max(0, (rate.Capacity - Missing(now)) / rate.Interval);

    /// <summary>Until it is full.</summary>
    public TimeSpan Reset(long now) => TimeSpan.FromMicroseconds(Missing(now) / 1000.0);

    /// <summary>Until there is a token.</summary>
    public TimeSpan Wait(in BucketRate rate, long now) => TimeSpan.FromMicroseconds(Math.Max(0, Missing(now) + rate.Interval - rate.Capacity) / 1000.0);

    private long Missing(long now)
    {
        var fullAt = Volatile.Read(ref _fullAt);
        return fullAt <= now ? 0 : fullAt - now;
    }
}
