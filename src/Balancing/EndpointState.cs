using System.Runtime.InteropServices;

namespace Weft.Balancing;

/// <summary>
/// What all event loops know of one endpoint. Every loop writes it at each request, so it has its own cache lines: neighbours in an array
/// would otherwise slow each other down.
/// </summary>
public sealed class EndpointState
{
    private Padded _values;

    /// <summary>Requests that were sent and are not answered.</summary>
    public int Active => Volatile.Read(ref _values.Active);

    /// <summary>Decayed response time in nanoseconds, peaks at once and falls slowly; 0 before the first answer.</summary>
    public double ResponseTime => Volatile.Read(ref _values.ResponseTime);

    /// <summary>When it became usable, in ticks of the caller's clock; slow start counts from here.</summary>
    public long Since
    {
        get => Volatile.Read(ref _values.Since);
        set => Volatile.Write(ref _values.Since, value);
    }

    public void Started() => Interlocked.Increment(ref _values.Active);

    /// <summary>A request that was started has ended.</summary>
    /// <param name="nanoseconds">Its duration; negative when it says nothing of the endpoint's speed (the client went away).</param>
    /// <param name="now">Nanoseconds of any clock that does not go back.</param>
    /// <param name="decay">Time in nanoseconds in which an old value loses 63 % of its say.</param>
    public void Ended(long nanoseconds, long now, long decay = PeakEwma.DefaultDecay)
    {
        Interlocked.Decrement(ref _values.Active);
        if (nanoseconds < 0)
            return;
        // Loops may overwrite each other: one sample of many is lost, which the average does not notice.
        var elapsed = now - Volatile.Read(ref _values.Sampled);
        Volatile.Write(ref _values.ResponseTime, PeakEwma.Next(Volatile.Read(ref _values.ResponseTime), nanoseconds, elapsed, decay));
        Volatile.Write(ref _values.Sampled, now);
    }

    // Two cache lines on each side: processors fetch lines in pairs.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Padded
    {
        [FieldOffset(128)] public int Active;
        [FieldOffset(136)] public double ResponseTime;
        [FieldOffset(144)] public long Sampled;
        [FieldOffset(152)] public long Since;
    }
}
