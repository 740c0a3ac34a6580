using System.Collections.Immutable;
using System.Globalization;

namespace Weft.Api.Shutdown;

/// <summary>How the time of a shutdown is shared out over priorities. Pure.</summary>
public static class ShutdownPeriods
{
    /// <summary>system-cluster-critical, the lower one of Kubernetes' two critical classes.</summary>
    public const int Critical = 2_000_000_000;

    /// <summary>Kubernetes' two settings: a period for all, of which the last part is the critical pods'.</summary>
    /// <returns>Null when the critical pods' part is longer than the whole.</returns>
    public static ImmutableArray<PriorityPeriod>? Of(TimeSpan all, TimeSpan critical) => all < TimeSpan.Zero || critical < TimeSpan.Zero || critical > all
        ? null
        : [new(0, (all - critical).TotalSeconds), new(Critical, critical.TotalSeconds)];

    /// <summary>`PRIORITY=SECONDS,...`, in any order.</summary>
    /// <returns>Null when it is not that, or names a priority twice.</returns>
    public static ImmutableArray<PriorityPeriod>? Parse(string text)
    {
        var periods = new SortedDictionary<int, double>();
        foreach (var part in text.Split(','))
        {
            if (part.Split('=') is not [var priority, var seconds]
                || !int.TryParse(priority, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                || !uint.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var length) || !periods.TryAdd(value, length))
                return null;
        }
        return [.. periods.Select(p => new PriorityPeriod(p.Key, p.Value))];
    }
}
