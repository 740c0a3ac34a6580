using System.Diagnostics;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Node.Network.Mesh;

namespace Weft.Cluster.Tests.Kit;

/// <summary>
/// What a cluster could leave behind on a machine. Taken before and after: the difference is a leak. Only what carries the cluster's name or
/// directories, and what belongs to nobody, is looked at, so that other work on the machine does not count.
/// </summary>
internal sealed record MachineState(IReadOnlyList<string> Facts)
{
    internal static MachineState Take(params string[] marks)
    {
        var facts = new List<string>();
        facts.AddRange(Processes(marks));
        facts.AddRange(File.ReadLines("/proc/self/mounts").Where(line => Marked(line, marks)).Select(line => "mount " + line.Split(' ')[1]));
        facts.AddRange(Output("nft", "list", "tables").Where(line => Marked(line, marks)).Select(line => "nft " + line));
        facts.AddRange(Cgroups(marks).Select(path => "cgroup " + path));
        facts.AddRange(Output("ip", "-o", "link", "show", "type", "veth").Select(line => "link " + line.Split(':')[1].Trim()));
        facts.AddRange(Output("ip", "netns", "list").Where(line => Marked(line, marks)).Select(line => "netns " + line));
        facts.AddRange(Output("ip", "route", "show", "table", "all").Where(line => !line.StartsWith("local ", StringComparison.Ordinal) && !line.StartsWith("broadcast ", StringComparison.Ordinal)).Select(line => "route " + line.Trim()));
        facts.AddRange(Output("ip", "rule").Select(line => "rule " + line.Trim()));
        facts.Add("ip_forward " + File.ReadAllText("/proc/sys/net/ipv4/ip_forward").Trim());
        facts.AddRange(marks.Where(mark => mark.StartsWith('/') && Directory.Exists(mark)).Select(mark => "directory " + mark));
        return new([.. facts.Order(StringComparer.Ordinal)]);
    }

    /// <param name="podCidr">By which the routing rule of the cluster's mesh is known: those of other clusters on the machine come and go meanwhile. Null: it had none.</param>
    internal IReadOnlyList<string> LeftSince(MachineState before, string? podCidr) =>
        [.. Facts.Except(before.Facts).Where(fact => !fact.StartsWith("rule ", StringComparison.Ordinal) || (podCidr is not null && fact.EndsWith($" {CaptureRoutes.Table(podCidr)}", StringComparison.Ordinal)))];

    /// <summary>While the cluster's settings are there.</summary>
    internal static string? PodCidrOf(ClusterPaths paths) => ClusterSettings.Load(paths.Settings)?.PodCidr;

    private static bool Marked(string text, string[] marks) => marks.Any(mark => text.Contains(mark, StringComparison.Ordinal));

    private static IEnumerable<string> Processes(string[] marks)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid) || pid == Environment.ProcessId)
                continue;
            var command = CommandLine(directory);
            if (Marked(command, marks) && ProcessIdentity.Of(pid) is not null)
                yield return $"process {pid} {command}";
        }
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static IEnumerable<string> Cgroups(string[] marks)
    {
        var roots = Directory.Exists("/sys/fs/cgroup/memory") ? Directory.EnumerateDirectories("/sys/fs/cgroup") : ["/sys/fs/cgroup"];
        return roots.SelectMany(root => Directory.EnumerateDirectories(root)).Where(path => Marked(Path.GetFileName(path), marks));
    }

    private static IReadOnlyList<string> Output(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
