namespace Weft.Proxy.Http2;

/// <summary>So many at once, so many a second. Time comes in.</summary>
internal struct TokenBucket(int burst, int perSecond, long now)
{
    private long _milli = burst * 1000L;
    private long _at = now;

    /// <summary>False: the peer has gone too far.</summary>
    public bool Take(int count, long now)
    {
        if (now > _at)
        {
            _milli = Math.Min(burst * 1000L, _milli + ((now - _at) * perSecond));
            _at = now;
        }

        _milli -= count * 1000L;
        return _milli >= 0;
    }

    public void Grant(int count) => _milli = Math.Min(burst * 1000L, _milli + (count * 1000L));
}
