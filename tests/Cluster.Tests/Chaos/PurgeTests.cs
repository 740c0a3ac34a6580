using Weft.Cluster.Tests.Crash;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Chaos;

/// <summary>`down --purge` of two nodes with containers in whatever state: the cluster's own end looks for what stayed.</summary>
public sealed class PurgeTests
{
    // Three images, so that several pulls are under way at once; none of them waits long for its end.
    private const string Pods = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: NAME}
        spec:
          replicas: 6
          selector: {matchLabels: {app: NAME}}
          template:
            metadata: {labels: {app: NAME}}
            spec:
              terminationGracePeriodSeconds: 1
              volumes: [{name: work, emptyDir: {medium: Memory}}]
              containers:
              - {name: main, image: IMAGE, volumeMounts: [{name: work, mountPath: /work}]COMMAND}
        ---

        """;

    private static readonly string All = Pod("busybox", ", command: [sleep, \"100000\"]") + Pod("nginx", "") + Pod("echo", "");

    private static string Pod(string image, string command) =>
        Pods.Replace("NAME", image, StringComparison.Ordinal).Replace("IMAGE", image, StringComparison.Ordinal).Replace("COMMAND", command, StringComparison.Ordinal);

    [Fact]
    public async Task While_pulls_and_starts_are_under_way()
    {
        await using var cluster = await StartAsync();
        await Eventually.TrueAsync(async () => (await PhasesAsync(cluster)).Contains("Pending", StringComparison.Ordinal), "pods are on their way");
    }

    [Fact]
    public async Task While_containers_run_and_after_containerd_was_killed()
    {
        await using var cluster = await StartAsync();
        await Eventually.TrueAsync(async () => (await PhasesAsync(cluster)).Split(' ').Count(phase => phase == "Running") >= 6, "containers run");
        foreach (var containerd in Containerd.Of(cluster))
            await ClusterProcesses.KillAsync(containerd);
    }

    private static async Task<ContainerCluster> StartAsync()
    {
        var cluster = new ContainerCluster();
        await cluster.InitializeAsync();
        (await cluster.InputAsync(All, "apply", "-f", "-")).Succeeded();
        return cluster;
    }

    private static async Task<string> PhasesAsync(ContainerCluster cluster) =>
        (await cluster.KubectlAsync("get", "pods", "-o", "jsonpath={.items[*].status.phase}")).Output;
}
