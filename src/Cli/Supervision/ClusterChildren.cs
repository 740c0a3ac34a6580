using Weft.Cli.Clusters;

namespace Weft.Cli.Supervision;

/// <summary>The processes of a cluster on this machine, in the order in which others rely on them.</summary>
public static class ClusterChildren
{
    public static IReadOnlyList<ChildSpec> Of(ClusterPaths paths, string executable) => [Server(paths, executable)];

    public static ChildSpec Server(ClusterPaths paths, string executable) =>
        new("server", executable, ["server", "--name", paths.Name, "--data-dir", paths.DataDir]) { IsEssential = true };
}
