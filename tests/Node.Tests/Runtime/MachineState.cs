using System.Diagnostics;

namespace Weft.Node.Tests.Runtime;

/// <summary>What a test could leave behind on the machine: mounts, links, cgroups, nft tables, processes.</summary>
internal sealed record MachineState(IReadOnlySet<string> Mounts, IReadOnlySet<string> Links, IReadOnlySet<string> Cgroups, IReadOnlySet<string> Tables)
{
    public static MachineState Take() => new(
        File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4]).ToHashSet(),
        Directory.GetFileSystemEntries("/sys/class/net").Select(Path.GetFileName).ToHashSet()!,
        Directory.GetDirectories("/sys/fs/cgroup", "weft-*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }).ToHashSet(),
        Run("nft", "list tables").Split('\n').Where(l => l.Length > 0).ToHashSet());

    /// <summary>Veths vanish a moment after their namespace, so the state is asked for until it fits; what stays is the failure's message.</summary>
    public async Task AssertUnchangedAsync(string cluster)
    {
        var from = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var now = Take();
            List<string> left =
            [
                .. now.Mounts.Except(Mounts).Where(m => m.Contains(cluster)).Select(m => "mount " + m),
                .. now.Cgroups.Except(Cgroups).Where(m => m.Contains(cluster)).Select(m => "cgroup " + m),
                .. now.Tables.Except(Tables).Where(m => m.Contains(cluster.Replace('-', '_'))),
                .. Processes(cluster),
            ];
            if (left.Count == 0)
                return;
            if (TimeProvider.System.GetElapsedTime(from) > TimeSpan.FromSeconds(30))
                Assert.Fail("left behind: " + string.Join(", ", left));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    private static IEnumerable<string> Processes(string cluster)
    {
        foreach (var directory in Directory.GetDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])))
        {
            string line;
            try
            {
                line = File.ReadAllText(directory + "/cmdline");
            }
            catch (IOException)
            {
                continue;
            }
            if (line.Contains("/" + cluster + "/"))
                yield return $"process {Path.GetFileName(directory)} {line.Replace('\0', ' ')}";
        }
    }

    internal static string Run(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
