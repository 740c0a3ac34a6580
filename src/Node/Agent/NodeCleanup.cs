using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Node.Network.Mesh;
using Weft.Node.Network.Services;
using Weft.Node.Runtime.Cri;
using Weft.Node.Network.Routes;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Agent;

/// <summary>
/// Takes everything of a node off the machine: containers, namespaces, veths, mounts, cgroups, the nft table, changed sysctls. Needs no running
/// agent and no complete state, and may be called again.
/// </summary>
public static class NodeCleanup
{
    // Killed processes vanish within milliseconds; one in an uninterruptible wait may take longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <returns>What could not be removed, in words; empty when all is gone.</returns>
    public static async Task<IReadOnlyList<string>> RunAsync(NodeAgentOptions options, TimeProvider time, CancellationToken cancellationToken = default)
    {
        var settings = NodeAgent.RuntimeOptions(options);
        var paths = new ProcessPaths(settings);
        var problems = new List<string>();

        problems.AddRange(await CriCleanup.RunAsync(NodeAgent.ContainerOptions(options), time, cancellationToken));
        if (await EndProcessesAsync(paths, time, cancellationToken) is { Count: > 0 } alive)
            problems.Add($"{alive.Count} processes of the cluster do not end: {string.Join(", ", alive.Order().Take(20))}{(alive.Count > 20 ? ", ..." : "")}");
        var network = ProcessSandboxes.NetworkOf(settings);
        foreach (var directory in Directory.Exists(paths.Sandboxes) ? Directory.GetDirectories(paths.Sandboxes) : [])
        {
            var id = Path.GetFileName(directory);
            await TryAsync($"address of sandbox {id}", () => network.DeleteAsync(id, paths.Netns(id)));
        }

        await TryAsync("mounts and directories", () =>
        {
            DirectoryRemoval.Delete(options.RunDir, paths.Ipam, paths.CniCache, Path.Combine(options.DataDir, "tmp"), Path.Combine(options.DataDir, "pods"));
            if (File.Exists(paths.BootId))
                File.Delete(paths.BootId);
            return Task.CompletedTask;
        });
        await TryAsync("cgroups", async () =>
        {
            var from = time.GetTimestamp();
            while (!ProcessMachine.RemoveCgroup(paths.CgroupParent))
            {
                if (time.GetElapsedTime(from) > Patience)
                    throw new IOException($"/sys/fs/cgroup/*{paths.CgroupParent} is still in use");
                await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken);
            }
        });
        await TryAsync("routes", () => NodeRoutes.RemoveAsync(settings.ClusterCidr));
        await TryAsync("routes of the mesh", () => CaptureRoutes.RemoveAsync(settings.ClusterCidr, cancellationToken));
        await TryAsync("links to other nodes", () =>
        {
            LoopbackLinks.Restore(options.RunDir);
            return Task.CompletedTask;
        });
        await TryAsync("nft table", () => NodeFirewall.RemoveAsync(options.ClusterName));
        var services = NodeAgent.ServiceNetwork(options);
        await TryAsync("addresses of services", () => options.ServiceCidr is null ? Task.CompletedTask : NodeAddresses.RemoveAsync(services, cancellationToken));
        await TryAsync("rules in the FORWARD chain", () => ForwardAllowance.RemoveAsync(options.ClusterName, services.ClusterCidr, cancellationToken));
        await TryAsync("sysctls", async () =>
        {
            if (!await NodeFirewall.HasOtherNodesAsync(options.ClusterName))
                Sysctls.Restore();
        });
        return problems;

        async Task TryAsync(string what, Func<Task> work)
        {
            try
            {
                await work();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add($"{what}: {e.Message}");
            }
        }
    }

    // Every process in the cluster's cgroups, and every conmon whose command line names the run directory. No record is needed for that.
    /// <returns>Those that are still there after all patience.</returns>
    private static async Task<IReadOnlySet<int>> EndProcessesAsync(ProcessPaths paths, TimeProvider time, CancellationToken cancellationToken)
    {
        var from = time.GetTimestamp();
        while (true)
        {
            var left = ProcessMachine.ProcessesOf(paths);
            if (left.Count == 0 || time.GetElapsedTime(from) > Patience)
                return left;
            ProcessMachine.LiftCpuLimit(paths.CgroupParent);
            foreach (var pid in left)
                _ = Libc.kill(pid, Libc.SigKill);
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancellationToken);
        }
    }
}
