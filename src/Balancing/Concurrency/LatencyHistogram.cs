using System.Numerics;

namespace Weft.Balancing.Concurrency;

/// <summary>Latencies counted by size, from any number of threads without a lock; a reader takes all of them at once. Precise to 1/32 of the value.</summary>
public sealed class LatencyHistogram
{
    private const int StepBits = 5, Steps = 1 << StepBits;

    // Up to 2^42 ns, more than an hour; above that all is the same.
    private const int Octaves = 43 - StepBits;
    private readonly int[] _counts = new int[(Octaves + 1) * Steps];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Add(long nanoseconds)
    {
        Interlocked.Increment(ref _counts[Bucket(nanoseconds)]);
        Interlocked.Increment(ref _count);
    }

    /// <summary>Empties it.</summary>
    /// <param name="percentile">0 up to 1.</param>
    /// <returns>The latency in nanoseconds that this share stays below; null: there are none.</returns>
    public long? Take(double percentile)
    {
        Span<int> counts = stackalloc int[_counts.Length];
        long sum = 0;
        for (var i = 0; i < counts.Length; i++)
            sum += counts[i] = Interlocked.Exchange(ref _counts[i], 0);
        Interlocked.Add(ref _count, -(int)sum);
        if (sum == 0)
            return null;
        var rank = Math.Max(1, (long)Math.Ceiling(percentile * sum));
        var at = 0;
        for (long seen = counts[0]; seen < rank; seen += counts[at])
            at++;
        return Middle(at);
    }

    private static int Bucket(long value)
    {
        if (value < Steps)
            return (int)Math.Max(value, 0);
        var octave = Math.Min(BitOperations.Log2((ulong)value) - StepBits + 1, Octaves);
        return (octave * Steps) + (int)Math.Min((value >> (octave - 1)) - Steps, Steps - 1);
    }

    private static long Middle(int bucket)
    {
        var (octave, step) = (bucket / Steps, bucket % Steps);
        return octave == 0 ? step : ((long)(Steps + step) << (octave - 1)) + ((1L << (octave - 1)) / 2);
    }
}
