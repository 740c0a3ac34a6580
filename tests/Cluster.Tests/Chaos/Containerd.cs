using Weft.Cli.Processes;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Chaos;

/// <summary>The containerd processes of a cluster's nodes, found by their configuration below its data directory.</summary>
internal static class Containerd
{
    internal static IReadOnlyList<ProcessIdentity> Of(WeftCluster cluster) => Below(cluster.DataDir);

    internal static IReadOnlyList<ProcessIdentity> Below(string dataDir) =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(directory => int.TryParse(Path.GetFileName(directory), out var pid) && Is(pid, dataDir) ? ProcessIdentity.Of(pid) : null)
            .OfType<ProcessIdentity>(),
    ];

    private static bool Is(int pid, string dataDir)
    {
        try
        {
            var arguments = File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
            return Path.GetFileName(arguments[0]) == "containerd" && arguments.Any(argument => argument.StartsWith(dataDir, StringComparison.Ordinal));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
