using System.Collections.Concurrent;

namespace Weft.Proxy.Telemetry.Metrics;

/// <summary>As <see cref="SeriesKey"/>, of connections of which no requests are known.</summary>
internal readonly record struct ConnectionKey(int Source, int Destination, Reporter Reporter, SecurityPolicy Security, int Rules = 0);

/// <summary>Written by one loop, read by a scrape.</summary>
internal sealed class ConnectionSeries
{
    private long _opened, _closed, _sent, _received;

    public long Opened => Volatile.Read(ref _opened);

    public long Closed => Volatile.Read(ref _closed);

    /// <summary>To clients.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>From clients.</summary>
    public long Received => Volatile.Read(ref _received);

    public void Open() => Volatile.Write(ref _opened, _opened + 1);

    public void Close() => Volatile.Write(ref _closed, _closed + 1);

    /// <summary>As they pass: a connection may be open for days. One field of the loop's own, so it is cheaper than a look at each connection now and then.</summary>
    public void Pass(int bytes, bool toClient)
    {
        if (toClient)
            Volatile.Write(ref _sent, _sent + bytes);
        else
            Volatile.Write(ref _received, _received + bytes);
    }
}

/// <summary>The connections of one loop. Bounded as <see cref="LoopMetrics"/> is.</summary>
internal sealed class ConnectionMetrics(int limit = 20_000)
{
    private readonly ConcurrentDictionary<ConnectionKey, ConnectionSeries> _series = new();

    public IEnumerable<KeyValuePair<ConnectionKey, ConnectionSeries>> Series => _series;

    public ConnectionSeries Of(in ConnectionKey key) => _series.TryGetValue(key, out var series) ? series
        : _series.GetOrAdd(_series.Count < limit ? key : key with { Source = 0, Destination = 0 }, static _ => new ConnectionSeries());
}
