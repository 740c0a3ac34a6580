namespace Weft.Proxy.Mesh.Identity;

/// <summary>What is known of one account's certificate.</summary>
/// <param name="Jitter">-1 to 1, of this account: so that certificates that came together are not renewed together.</param>
/// <param name="Failures">In a row.</param>
/// <param name="Released">The server says that it is not at work here any more, and nobody has asked for it since.</param>
internal readonly record struct RenewalState(DateTimeOffset? NotBefore, DateTimeOffset? NotAfter, double Jitter, int Failures, DateTimeOffset FailedAt, bool Released);

/// <summary>When a certificate is asked for.</summary>
internal static class RenewalPlanner
{
    // The pod that asks may be known here before the server has heard of it: a short first pause.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    // Of the life, in both directions.
    private const double Spread = 0.1;

    /// <summary>MaxValue: never.</summary>
    public static DateTimeOffset NextAt(RenewalState state)
    {
        if (state.Released)
            return DateTimeOffset.MaxValue;
        var due = DateTimeOffset.MinValue;
        if (state is { NotBefore: { } from, NotAfter: { } to })
            due = from + ((to - from) * (0.5 + (state.Jitter * Spread)));
        if (state.Failures == 0)
            return due;
        var again = state.FailedAt + Pause(state.Failures, state.Jitter);
        return again > due ? again : due;
    }

    private static TimeSpan Pause(int failures, double jitter)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(failures - 1, 12));
        return (pause < LongestPause ? pause : LongestPause) * (1 + (jitter * 0.3));
    }
}
