using Weft.Cli.Clusters;

namespace Weft.Cli.Supervision;

/// <summary>The processes of a cluster on this machine, in the order in which others rely on them.</summary>
public static class ClusterChildren
{
    public static IReadOnlyList<ChildSpec> Of(ClusterPaths paths, string executable) => File.Exists(paths.AgentSettings) ? [JoinedProxy(paths, executable), Agent(paths, executable)] : [Proxy(paths, executable), Server(paths, executable)];

    public static ChildSpec Server(ClusterPaths paths, string executable) =>
        new("server", executable, ["server", "--name", paths.Name, "--data-dir", paths.DataDir]) { IsEssential = true };

    private static ChildSpec Agent(ClusterPaths paths, string executable) =>
        new("agent", executable, ["run-agent", "--name", paths.Name, "--data-dir", paths.DataDir]) { IsEssential = true };

    private static ChildSpec Proxy(ClusterPaths paths, string executable) => ProxyChild.Of(new(paths.Proxy, paths.RunDir, () => Settings(paths).DnsAddress), executable);

    // The agent puts down how the proxy reaches the server when it has been told the cluster's networks; a node that joined before has both.
    private static ChildSpec JoinedProxy(ClusterPaths paths, string executable) =>
        ProxyChild.Of(new(paths.Proxy, paths.RunDir, () => AgentSettings.Load(paths.AgentSettings)?.DnsAddress ?? throw new IOException($"{paths.AgentSettings} names no range of services"))
        {
            IsWanted = () => File.Exists(ProxyChild.AccessFile(paths.Proxy)),
        }, executable);

    private static ClusterSettings Settings(ClusterPaths paths) => ClusterSettings.Load(paths.Settings) ?? throw new IOException($"there is no {paths.Settings}");
}
