using Weft.Cli.Clusters;
using Weft.Cli.Kubeconfigs;
using Weft.Cli.Supervision;
using Weft.Client.Joining;
using Weft.Node.Agent;
using Weft.Node.Network.Routes;
using Weft.Node.Runtime.Cri;

namespace Weft.Host.Agent;

/// <summary>What the agent of a joined node is told.</summary>
internal static class AgentParts
{
    internal static NodeAgentOptions Options(ClusterPaths paths, AgentSettings settings, NodeCredentials credentials)
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
            MeshSocket = settings.Mesh ? MeshSockets.RegistrationPath(paths.RunDir) : null,
            InspectionSocket = settings.Mesh ? MeshSockets.InspectionPath(paths.RunDir) : null,
            ApiPort = server.Port,
            NodeIp = settings.NodeIp,
            ServiceCidr = settings.ServiceCidr,
            DnsServers = settings.DnsAddress is { } dns ? [dns.ToString()] : [],
            // Images come from the cluster's registry, below the API server's own port, to whoever shows a node's certificate.
            ImageMirror = new RegistryMirror(settings.Server, credentials.AuthorityFile, credentials.CertificateFile, credentials.KeyFile),
            ClusterDomain = settings.ClusterDomain ?? "cluster.local",
            LeasePeriod = settings.LeaseSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : NodeAgentOptions.DefaultLeasePeriod,
            Annotations = settings.NextHop is { } hop ? new Dictionary<string, string> { [NodeAnnotations.NextHop] = hop } : [],
            HiddenPaths = [paths.DataDir, MeshSockets.DirectoryIn(paths.RunDir), .. settings.HiddenPaths, .. UserKubeconfig.EveryonesDirectory()],
        };
    }
}
