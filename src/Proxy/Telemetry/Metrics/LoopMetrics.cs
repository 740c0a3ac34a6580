namespace Weft.Proxy.Telemetry.Metrics;

/// <summary>
/// What one loop counts. Only its loop writes, so no counter is interlocked and none is shared; a scrape reads them as they are, each by itself right. The first request
/// of a series allocates, the others do not.
/// </summary>
/// <param name="limit">Series of this loop. Beyond it requests count in the same series without source, so that made-up names cannot fill the memory.</param>
internal sealed class LoopMetrics(int limit = 20_000)
{
    private readonly Dictionary<SeriesKey, RequestSeries> _byKey = [];
    private RequestSeries[] _all = new RequestSeries[16];
    private int _count;
    private RequestSeries? _last;

    /// <summary>Connections of clients that are open; written by the loop.</summary>
    public long Connections;

    /// <summary>Those of which no requests are known.</summary>
    public ConnectionMetrics Tunnels { get; } = new();

    /// <summary>Requests that are not answered.</summary>
    public long InFlight;

    public void Record(in SeriesKey key, in RequestSample sample)
    {
        // Most requests are like the one before.
        var series = _last is not null && _last.Key == key ? _last : Find(key);
        _last = series;
        series.Record(sample);
    }

    /// <summary>For another thread: the series there were at the moment of the call.</summary>
    public ReadOnlySpan<RequestSeries> Series
    {
        get
        {
            var count = Volatile.Read(ref _count);
            return Volatile.Read(ref _all).AsSpan(0, count);
        }
    }

    private RequestSeries Find(in SeriesKey key)
    {
        if (_byKey.TryGetValue(key, out var series))
            return series;
        var kept = _byKey.Count < limit ? key : new SeriesKey(0, 0, key.Status, key.GrpcStatus, key.Flags, key.Reporter, key.Protocol, key.Security, key.Rules);
        if (_byKey.TryGetValue(kept, out series))
            return series;
        series = new RequestSeries(kept);
        _byKey.Add(kept, series);
        Append(series);
        return series;
    }

    private void Append(RequestSeries series)
    {
        if (_count == _all.Length)
        {
            var larger = new RequestSeries[_count * 2];
            _all.CopyTo(larger, 0);
            Volatile.Write(ref _all, larger);
        }

        _all[_count] = series;
        // After the element: a reader that sees the count sees what it counts. It reads the count first, so an older array is never too short.
        Volatile.Write(ref _count, _count + 1);
    }
}
