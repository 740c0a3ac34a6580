using Weft.Proxy.Rates;

namespace Weft.Proxy.Filters.RateLimits;

/// <summary>
/// A bucket of tokens that loops share by one compare-and-swap.
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
            var after = rate.After(before, 1, now);
            if (!rate.Holds(after, now))
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
