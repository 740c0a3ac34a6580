using System.Globalization;
using Weft.Api.Streams;

namespace Weft.Node.Usage;

/// <summary>What was counted at one moment.</summary>
/// <param name="Uptime">Of a clock that nobody sets.</param>
/// <param name="Containers">By container id: a new container of the same name is counted from its own beginning.</param>
internal sealed record UsageReading(DateTimeOffset At, TimeSpan Uptime, Counted? Node, IReadOnlyDictionary<string, CountedContainer> Containers)
{
    // Counters move in steps of a scheduler tick: over less than this a rate says little.
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    public bool IsTooSoonAfter(UsageReading before) => Uptime - before.Uptime < Shortest;

    /// <summary>What was used between two readings; who stands in the later one alone has no rate yet.</summary>
    public NodeUsage Since(UsageReading before)
    {
        var window = Uptime - before.Uptime;
        var containers = from pair in Containers
                         let old = before.Containers.GetValueOrDefault(pair.Key)?.Counted
                         let sample = Sample(old, pair.Value.Counted, window)
                         where sample is not null
                         group new ContainerSample(pair.Value.Name, sample) by pair.Value.PodUid;
        return new NodeUsage(
            Node is null ? null : Sample(before.Node, Node, window),
            [.. containers.Select(pod => new PodSamples(pod.Key, [.. pod.OrderBy(container => container.Name, StringComparer.Ordinal)]))]);
    }

    private UsageSample? Sample(Counted? before, Counted after, TimeSpan window) =>
        before is null || after.Cpu < before.Cpu || window <= TimeSpan.Zero
            ? null
            : new UsageSample(At, window, (long)((after.Cpu - before.Cpu) / window * 1e9), after.MemoryBytes);

    /// <summary>proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq in hundredths of a second of all CPUs together.</summary>
    public static TimeSpan MachineCpu(string stat)
    {
        var words = stat.Split('\n').FirstOrDefault(line => line.StartsWith("cpu ", StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        long busy = 0;
        foreach (var index in (ReadOnlySpan<int>)[1, 2, 3, 6, 7])
        {
            if (index < words.Length)
                busy += long.Parse(words[index], NumberStyles.None, CultureInfo.InvariantCulture);
        }
        return TimeSpan.FromMilliseconds(busy * 10);
    }
}

/// <param name="Cpu">CPU time so far.</param>
internal sealed record Counted(TimeSpan Cpu, long MemoryBytes);

internal sealed record CountedContainer(string PodUid, string Name, Counted Counted);
