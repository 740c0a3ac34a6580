using Weft.Cli.Processes;
using Weft.Cluster.Tests.Crash;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>The proxies of a cluster's nodes, found by their directory.</summary>
internal static class MeshProxies
{
    internal static IReadOnlyList<ProcessIdentity> Of(WeftCluster cluster) =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(directory => int.TryParse(Path.GetFileName(directory), out var pid) && Is(pid, cluster.DataDir) ? ProcessIdentity.Of(pid) : null)
            .OfType<ProcessIdentity>(),
    ];

    /// <summary>All at once; returns when others are there in their place.</summary>
    internal static async Task KillAsync(WeftCluster cluster)
    {
        var before = Of(cluster);
        await Task.WhenAll(before.Select(ClusterProcesses.KillAsync));
        await Testing.Eventually.TrueAsync(() => Of(cluster).Count(proxy => !before.Contains(proxy)) == before.Count, "other proxies run");
    }

    private static bool Is(int pid, string dataDir)
    {
        try
        {
            var arguments = File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
            return Path.GetFileName(arguments[0]) == "weft" && arguments.Length > 3 && arguments[1] == "proxy" && arguments[3].StartsWith(dataDir, StringComparison.Ordinal);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
