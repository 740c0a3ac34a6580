using System.Collections.Immutable;

namespace Weft.Control.Workloads;

/// <summary>
/// What an autoscaler remembers between two looks. Kept in memory as Kubernetes keeps it: after a restart the present number counts as the only
/// recommendation so far, so that nothing is taken away before a window has passed.
/// </summary>
/// <param name="Recommendations">What was wanted, before limits.</param>
/// <param name="Changes">By how much the number was changed; negative: less.</param>
public sealed record AutoscalerHistory(ImmutableArray<(DateTimeOffset At, int Replicas)> Recommendations, ImmutableArray<(DateTimeOffset At, int By)> Changes)
{
    public static readonly AutoscalerHistory Empty = new([], []);

    // The longest window and period that validation lets through.
    private static readonly TimeSpan LongestWindow = TimeSpan.FromHours(1), LongestPeriod = TimeSpan.FromMinutes(30);

    // Twice of what an hour of looks makes: somebody who changes an autoscaler all the time must not fill the memory.
    private const int Most = 480;

    public AutoscalerHistory Recommended(int replicas, DateTimeOffset now) =>
        this with { Recommendations = [.. Recommendations.Where(old => now - old.At < LongestWindow).TakeLast(Most - 1), (now, replicas)] };

    public AutoscalerHistory Scaled(int by, DateTimeOffset now) =>
        this with { Changes = [.. Changes.Where(old => now - old.At < LongestPeriod).TakeLast(Most - 1), (now, by)] };

    /// <summary>The sum of all changes after a time.</summary>
    public int ChangedSince(DateTimeOffset start) => Changes.Where(change => change.At > start).Sum(change => change.By);
}
