namespace Weft.Client;

/// <summary>Doubling delays with jitter.</summary>
/// <param name="First">After the first failure.</param>
/// <param name="Max">Never longer than this.</param>
public sealed record Backoff(TimeSpan First, TimeSpan Max)
{
    /// <summary>Work queues: client-go's 5 ms, but a cap of 15 s where client-go's is 1000 s: a person who has just granted a right waits for the next try.</summary>
    public static readonly Backoff Work = new(TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(15));

    /// <summary>Reconnects: client-go's reflector waits 0.8 s to 30 s.</summary>
    public static readonly Backoff Reconnect = new(TimeSpan.FromMilliseconds(800), TimeSpan.FromSeconds(30));

    /// <summary>Delay after <paramref name="failures"/> failures in a row; up to 25 % more than the exact value, so that crowds spread.</summary>
    public TimeSpan Delay(int failures, Random random)
    {
        var doublings = Math.Clamp(failures - 1, 0, 40); // 2^40 x 1 ms is beyond any cap, and stays far from overflow
        var exact = Math.Min(First.TotalMilliseconds * Math.Pow(2, doublings), Max.TotalMilliseconds);
        double jitter;
        lock (random) // a seeded Random is not thread-safe
            jitter = random.NextDouble();
        return TimeSpan.FromMilliseconds(exact * (1 + (jitter / 4)));
    }
}
