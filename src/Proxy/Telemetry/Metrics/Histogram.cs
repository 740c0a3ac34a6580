namespace Weft.Proxy.Telemetry.Metrics;

/// <summary>Counts in fixed buckets. One writer, its loop; readers add up what several loops have.</summary>
internal struct Histogram()
{
    /// <summary>Upper bounds, inclusive. Envoy's defaults, which Istio keeps: queries and dashboards are made for them (milliseconds, and bytes too).</summary>
    private static readonly double[] UpperBounds =
        [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000];

    private readonly long[] _counts = new long[UpperBounds.Length + 1];
    private double _sum;

    public static ReadOnlySpan<double> Bounds => UpperBounds;

    public void Record(double value)
    {
        var bucket = 0;
        while (bucket < UpperBounds.Length && value > UpperBounds[bucket])
            bucket++;
        _counts[bucket]++;
        _sum += value;
    }

    public readonly void AddTo(ref Histogram total)
    {
        for (var i = 0; i < _counts.Length; i++)
            total._counts[i] += Volatile.Read(ref _counts[i]);
        total._sum += _sum;
    }

    /// <summary>Of bucket <paramref name="index"/> alone, the last one without an upper bound.</summary>
    public readonly long Count(int index) => _counts[index];

    public readonly double Sum => _sum;
}
