using Weft.Cli.Clusters;
using Weft.Cli.Kubeconfigs;
using Weft.Cli.Supervision;
using Weft.Node.Agent;

namespace Weft.Host.Server;

/// <summary>The node of this machine: what its agent is told, for running it and for taking it away.</summary>
internal static class NodeParts
{
    internal static NodeAgentOptions Options(ClusterPaths paths, ClusterSettings settings) => new()
    {
        NodeName = ClusterSettings.OwnNode,
        DataDir = paths.Node,
        RunDir = Path.Combine(paths.RunDir, "node"),
        PodCidr = settings.NodeCidr(),
        ClusterCidr = settings.PodCidr,
        LeasePeriod = TimeSpan.FromSeconds(settings.LeaseSeconds()),
        ServiceCidr = settings.ServiceCidr.Length > 0 ? settings.ServiceCidr : null,
        ImageMirror = settings.RegistryPort > 0 ? new($"http://127.0.0.1:{settings.RegistryPort}") : null,
        ClusterName = paths.Name,
        MeshSocket = settings.Mesh ? MeshSockets.RegistrationPath(paths.RunDir) : null,
        InspectionSocket = settings.Mesh ? MeshSockets.InspectionPath(paths.RunDir) : null,
        ApiPort = settings.ApiPort,
        DnsServers = settings.ServiceCidr.Length > 0 ? [settings.DnsAddress.ToString()] : [],
        HiddenPaths = [paths.DataDir, MeshSockets.DirectoryIn(paths.RunDir), .. UserKubeconfig.EveryonesDirectory()],
    };

    internal static Task<IReadOnlyList<string>> CleanAsync(ClusterPaths paths, ClusterSettings? settings, CancellationToken cancellationToken) =>
        NodeCleanup.RunAsync(Options(paths, settings ?? Joined(paths) ?? Unknown), TimeProvider.System, cancellationToken);

    // Without settings the networks are not known. What is found by the cluster's name goes; a range that is nobody's (RFC 5737) keeps the rest from
    // touching the routes of another cluster.
    private static ClusterSettings Unknown => new(0, "192.0.2.0/24", "");

    private static ClusterSettings? Joined(ClusterPaths paths)
    {
        try
        {
            return AgentSettings.Load(paths.AgentSettings) is { ClusterCidr: { } pods, ServiceCidr: { } services } ? new(0, pods, services) : null;
        }
        catch (Exception bad) when (bad is InvalidDataException or System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
