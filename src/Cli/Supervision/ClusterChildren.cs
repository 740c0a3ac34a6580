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

    private static ChildSpec Proxy(ClusterPaths paths, string executable) => ProxyChild.Of(new(paths.Proxy, paths.RunDir, () => NodeOf(paths, Settings(paths)))
    {
        HasMesh = () => Settings(paths).Mesh,
    }, executable);

    // The agent puts down how the proxy reaches the server when it has been told the cluster's networks, and its own range a moment later; a node that joined
    // before has all.
    private static ChildSpec JoinedProxy(ClusterPaths paths, string executable) =>
        ProxyChild.Of(new(paths.Proxy, paths.RunDir, () => JoinedNodeOf(paths, AgentSettings.Load(paths.AgentSettings)))
        {
            IsWanted = () => File.Exists(ProxyChild.AccessFile(paths.Proxy)) && AgentSettings.Load(paths.AgentSettings)?.PodCidr is not null,
            HasMesh = () => AgentSettings.Load(paths.AgentSettings)?.Mesh == true,
        }, executable);

    private static ProxyNodeFile NodeOf(ClusterPaths paths, ClusterSettings settings) =>
        new(ClusterSettings.OwnNode, settings.DnsAddress.ToString(), AddressPlan.Host(settings.NodeCidr(), 1).ToString(), paths.RunDir) { ClusterCidr = settings.PodCidr, ServiceCidr = settings.ServiceCidr };

    private static ProxyNodeFile JoinedNodeOf(ClusterPaths paths, AgentSettings? settings) => settings is { DnsAddress: { } dns, PodCidr: { } pods }
        ? new(settings.NodeName, dns.ToString(), AddressPlan.Host(pods, 1).ToString(), paths.RunDir) { ClusterCidr = settings.ClusterCidr ?? "", ServiceCidr = settings.ServiceCidr ?? "" }
        : throw new IOException($"{paths.AgentSettings} names no range of services or of pods");

    private static ClusterSettings Settings(ClusterPaths paths) => ClusterSettings.Load(paths.Settings) ?? throw new IOException($"there is no {paths.Settings}");
}
