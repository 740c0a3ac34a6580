namespace Weft.Proxy.Rates;

/// <summary>
/// How fast a bucket of tokens fills and how much it holds, in nanoseconds. The bucket itself is one number, the time at which it will be full again (the GCRA of ATM Forum TM 4.0, section 4.4.2): taking
/// a token moves that time by one interval, and there is none left when it would be further away than filling takes.
/// </summary>
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

    /// <summary>When the bucket is full after so many tokens more have been taken.</summary>
    public long After(long fullAt, int tokens, long now) => Math.Max(fullAt, now) + (tokens * Interval);

    /// <summary>Whether there was room for what <see cref="After"/> has taken.</summary>
    public bool Holds(long fullAt, long now) => fullAt - now <= Capacity;
}
