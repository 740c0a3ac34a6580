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
        PodCidr = settings.PodCidr,
        ClusterName = paths.Name,
        ApiPort = settings.ApiPort,
        HiddenPaths = [paths.Pki, paths.Kubeconfig, paths.RegistryPassword, Path.GetDirectoryName(paths.Database)!, Path.GetDirectoryName(paths.Log)!, .. UserKubeconfig.EveryonesDirectory()],
    };

    internal static Task<IReadOnlyList<string>> CleanAsync(ClusterPaths paths, ClusterSettings? settings, CancellationToken cancellationToken) =>
        // Without settings nothing but the networks is unknown, and they are found by the cluster's name.
        NodeCleanup.RunAsync(Options(paths, settings ?? new ClusterSettings(0, "10.244.0.0/16", "10.96.0.0/16")), TimeProvider.System, cancellationToken);
}
