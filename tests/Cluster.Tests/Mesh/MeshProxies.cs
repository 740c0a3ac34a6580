using System.Globalization;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;
using Weft.Cluster.Tests.Crash;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>The proxies that serve on a cluster's two nodes.</summary>
internal static class MeshProxies
{
    internal static IReadOnlyList<ProcessIdentity> Of(WeftCluster cluster)
    {
        var paths = ClusterPaths.For(cluster.Name, cluster.DataDir);
        return [.. new[] { paths, paths.LocalNode(2) }.Select(node => ChildState.Load(node).Single(child => child.Name == "proxy").Process).OfType<ProcessIdentity>()];
    }

    /// <summary>All at once; returns when they are gone.</summary>
    internal static async Task<ProxyKill> KillAsync(WeftCluster cluster, TimeProvider time)
    {
        var before = Of(cluster);
        Assert.Equal(2, before.Count);
        var from = time.GetUtcNow();
        await Task.WhenAll(before.Select(ClusterProcesses.KillAsync));
        return new ProxyKill(from, time.GetUtcNow());
    }
}

/// <summary>When all proxies were killed. What came later waited for those that followed.</summary>
internal sealed record ProxyKill(DateTimeOffset From, DateTimeOffset Gone)
{
    // A client of a connection that it keeps finds out with its next request, which a machine that is busy may make it wait for.
    private static readonly TimeSpan NextRequest = TimeSpan.FromSeconds(2);

    /// <summary>Whether a request that failed was on a connection that ended with its proxy: under way then, or the next one of a connection that was kept. What nobody may have is not given even then.</summary>
    /// <param name="line">`failed TIME after N ms, DOING: HOW`, of the client's log.</param>
    internal bool Excuses(string client, string line)
    {
        var words = line.Split(' ');
        var failed = DateTimeOffset.Parse(words[1], CultureInfo.InvariantCulture);
        var began = failed - TimeSpan.FromMilliseconds(int.Parse(words[3], CultureInfo.InvariantCulture));
        var last = client.EndsWith("kept", StringComparison.Ordinal) && !line.Contains("connecting", StringComparison.Ordinal) && !line.Contains("request 1 of", StringComparison.Ordinal) ? Gone + NextRequest : Gone;
        return failed >= From && began <= last && !(client.EndsWith(LoadedService.Forbidden, StringComparison.Ordinal) && line.EndsWith("status 200", StringComparison.Ordinal));
    }
}
