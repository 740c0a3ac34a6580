namespace Weft.Balancing;

/// <summary>
/// The average behind "least response time": exponentially weighted by time, and never below the last slow answer until that has aged. A plain
/// average forgives a stall too late to avoid the next one.
/// </summary>
public static class PeakEwma
{
    /// <summary>10 s, in nanoseconds: the default of Finagle, from where the method is known.</summary>
    public const long DefaultDecay = 10_000_000_000;

    public static double Next(double average, double sample, long elapsed, long decay)
    {
        if (sample >= average)
            return sample;
        var keep = Math.Exp(-Math.Max(elapsed, 0) / (double)decay);
        return (average * keep) + (sample * (1 - keep));
    }
}
