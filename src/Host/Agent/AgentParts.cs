using Weft.Cli.Clusters;
using Weft.Cli.Kubeconfigs;
using Weft.Node.Agent;
using Weft.Node.Network.Routes;

namespace Weft.Host.Agent;

/// <summary>What the agent of a joined node is told.</summary>
internal static class AgentParts
{
    internal static NodeAgentOptions Options(ClusterPaths paths, AgentSettings settings)
    {
        var server = new Uri(settings.Server);
        return new NodeAgentOptions
        {
            NodeName = settings.NodeName,
            DataDir = paths.Node,
            RunDir = Path.Combine(paths.RunDir, "node"),
            PodCidr = settings.PodCidr ?? throw new InvalidDataException($"{paths.AgentSettings} names no range of pod addresses"),
            ClusterCidr = settings.ClusterCidr,
            ClusterName = paths.Name,
            ApiHost = server.Host,
            ApiPort = server.Port,
            NodeIp = settings.NodeIp,
            ClusterDomain = settings.ClusterDomain ?? "cluster.local",
            LeasePeriod = settings.LeaseSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : NodeAgentOptions.DefaultLeasePeriod,
            Annotations = settings.NextHop is { } hop ? new Dictionary<string, string> { [NodeAnnotations.NextHop] = hop } : [],
            HiddenPaths = [paths.AgentSettings, paths.Pki, Path.GetDirectoryName(paths.Log)!, .. settings.HiddenPaths, .. UserKubeconfig.EveryonesDirectory()],
        };
    }
}
