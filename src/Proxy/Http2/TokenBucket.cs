using Weft.Proxy.Rates;

namespace Weft.Proxy.Http2;

/// <summary>So many at once, so many a second, of one connection. Time comes in, in milliseconds; what is taken is gone, also where it was too much: the connection ends then.</summary>
internal struct TokenBucket(int burst, int perSecond, long now)
{
    private const long Nanoseconds = 1_000_000;
    private readonly BucketRate _rate = BucketRate.Of(perSecond, TimeSpan.FromSeconds(1), burst);
    private long _fullAt = now * Nanoseconds;

    /// <summary>False: the peer has gone too far.</summary>
    public bool Take(int count, long now)
    {
        _fullAt = _rate.After(_fullAt, count, now * Nanoseconds);
        return _rate.Holds(_fullAt, now * Nanoseconds);
    }

    public void Grant(int count) => _fullAt -= count * _rate.Interval;
}
