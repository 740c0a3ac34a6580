using Weft.Cli.Clusters;
using Weft.Cli.Kubeconfigs;
using Weft.Node.Agent;

namespace Weft.Host.Server;

/// <summary>The node of this machine: what its agent is told, for running it and for taking it away.</summary>
internal static class NodeParts
{
    internal static NodeAgentOptions Options(ClusterPaths paths, ClusterSettings settings) => new()
    {
        NodeName = Environment.MachineName.ToLowerInvariant(),
        DataDir = paths.Node,
        RunDir = Path.Combine(paths.RunDir, "node"),
        PodCidr = settings.NodeCidr(),
        ClusterCidr = settings.PodCidr,
        LeasePeriod = settings.NodeGraceSeconds is { } grace ? TimeSpan.FromSeconds(Math.Clamp(grace / 4, 1, 10)) : NodeAgentOptions.DefaultLeasePeriod,
        ServiceCidr = settings.ServiceCidr.Length > 0 ? settings.ServiceCidr : null,
        ImageMirror = settings.RegistryPort > 0 ? new($"http://127.0.0.1:{settings.RegistryPort}") : null,
        ClusterName = paths.Name,
        ApiPort = settings.ApiPort,
        DnsServers = settings.ServiceCidr.Length > 0 ? [settings.DnsAddress.ToString()] : [],
        HiddenPaths = [paths.Pki, paths.Nodes, paths.Kubeconfig, paths.RegistryPassword, paths.Proxy, Path.GetDirectoryName(paths.Database)!, Path.GetDirectoryName(paths.Log)!, .. UserKubeconfig.EveryonesDirectory()],
    };

    internal static Task<IReadOnlyList<string>> CleanAsync(ClusterPaths paths, ClusterSettings? settings, CancellationToken cancellationToken) =>
        // Without settings nothing but the networks is unknown, and they are found by the cluster's name; addresses that may be another cluster's stay.
        NodeCleanup.RunAsync(Options(paths, settings ?? new ClusterSettings(0, "10.244.0.0/16", "")), TimeProvider.System, cancellationToken);
}
