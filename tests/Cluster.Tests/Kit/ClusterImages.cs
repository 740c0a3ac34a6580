using Weft.Cli.Clusters;
using Weft.Node.Tests.Runtime;
using Weft.Testing;

namespace Weft.Cluster.Tests.Kit;

/// <summary>Puts a small image of the machine's static busybox straight into the node's containerd, as if it had been pulled before.</summary>
internal static class ClusterImages
{
    internal const string Busybox = "docker.io/library/busybox:1";

    internal static async Task ImportAsync(WeftCluster cluster)
    {
        var socket = Path.Combine(ClusterPaths.For(cluster.Name, cluster.DataDir).RunDir, "node", "ctd", "c.sock");
        await Eventually.TrueAsync(async () => (await Shell.RunAsync("ctr", ["-a", socket, "version"])).ExitCode == 0, "containerd answers");
        if ((await Shell.RunAsync("ctr", ["-a", socket, "-n", "k8s.io", "images", "list", "-q"])).Succeeded().Contains(Busybox, StringComparison.Ordinal))
            return;
        using var directory = new TempDir();
        var archive = directory.File("busybox.tar");
        new TestImage(Busybox) { Command = ["sh"], User = "1234" }.Write(archive);
        (await Shell.RunAsync("ctr", ["-a", socket, "-n", "k8s.io", "images", "import", archive])).Succeeded();
    }
}
