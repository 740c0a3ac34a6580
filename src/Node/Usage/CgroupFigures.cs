using System.Globalization;

namespace Weft.Node.Usage;

/// <summary>What the kernel counts of a cgroup, in version 1 (a tree for each controller) or version 2. A cgroup that is gone has no figures.</summary>
/// <param name="tree">`/sys/fs/cgroup`, or what stands for it in a test.</param>
internal sealed class CgroupFigures(string tree = "/sys/fs/cgroup")
{
    /// <summary>CPU time of all processes so far, also of those that have ended; null: not counted here.</summary>
    /// <param name="cgroup">Path below the tree, with a slash in front.</param>
    public TimeSpan? Cpu(string cgroup)
    {
        if (Number($"{tree}/cpuacct{cgroup}/cpuacct.usage") is { } nanoseconds)
            return TimeSpan.FromTicks(nanoseconds / 100);
        return Line($"{tree}{cgroup}/cpu.stat", "usage_usec") is { } microseconds ? TimeSpan.FromMicroseconds(microseconds) : null;
    }

    /// <summary>The kubelet's working set: without file pages that nobody has touched lately. Null: not counted here.</summary>
    public long? WorkingSet(string cgroup) =>
        WorkingSet($"{tree}/memory{cgroup}", "memory.usage_in_bytes", "total_inactive_file") ?? WorkingSet($"{tree}{cgroup}", "memory.current", "inactive_file");

    public long? Processes(string cgroup) => Number($"{tree}/pids{cgroup}/pids.current") ?? Number($"{tree}{cgroup}/pids.current");

    private static long? WorkingSet(string directory, string usage, string inactive) =>
        Number($"{directory}/{usage}") is { } used ? Math.Max(0, used - (Line($"{directory}/memory.stat", inactive) ?? 0)) : null;

    private static long? Number(string path) => Text(path) is { } text ? Parse(text.AsSpan().Trim()) : null;

    private static long? Line(string path, string name) =>
        Text(path)?.Split('\n').FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal)) is { } line ? Parse(line.AsSpan(name.Length + 1)) : null;

    private static long? Parse(ReadOnlySpan<char> text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static string? Text(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;   // the pod has ended meanwhile
        }
    }
}
