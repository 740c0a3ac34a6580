using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;
using Weft.Client;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Crash;

/// <summary>The supervisor and the server of a cluster: who they are, their sudden end, and when they are whole again.</summary>
internal sealed class ClusterProcesses(WeftCluster cluster)
{
    private readonly ClusterPaths _paths = ClusterPaths.For(cluster.Name, cluster.DataDir);

    internal ProcessIdentity Server => ServerState.Load(_paths.ServerFile)?.Process is { IsAlive: true } alive
        ? alive
        : throw new InvalidOperationException("no server of the cluster runs");

    internal ProcessIdentity Supervisor => Cli.Supervision.Supervisor.Find(_paths) ?? throw new InvalidOperationException("no supervisor of the cluster runs");

    internal ClusterAccess Access => Kubeconfig.Load(_paths.Kubeconfig, null, "").Access();

    internal KubeClient Connect() => Access.Connect(TimeProvider.System, "crash-test");

    /// <summary>Returns when the process is gone, not when the signal is sent.</summary>
    internal static async Task KillAsync(ProcessIdentity process)
    {
        Assert.True(Signals.Send(process.Pid, Signals.Kill), $"process {process.Pid} is not there");
        await Eventually.TrueAsync(() => !process.IsAlive);
    }

    /// <summary>Waits until another server than <paramref name="dead"/> says Ready, and its API does too.</summary>
    internal async Task WholeAgainAsync(ProcessIdentity dead)
    {
        await Eventually.TrueAsync(() => ServerState.Load(_paths.ServerFile) is { Phase: ServerPhase.Ready, Process.IsAlive: true } state && state.Process != dead,
            "another server is Ready", () => ServerState.Load(_paths.ServerFile)?.ToString() ?? "no state file");
        using var client = Connect();
        await Eventually.TrueAsync(() => AnswersAsync(client), "/readyz is ok");
        await Eventually.TrueAsync(async () =>
            (await cluster.KubectlAsync("get", "nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")).Output == "True", "the node is Ready");
    }

    private static async Task<bool> AnswersAsync(KubeClient client)
    {
        try
        {
            using var answer = await client.OpenAsync("/readyz", TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or IOException or ApiStatusException)
        {
            return false;
        }
    }
}
