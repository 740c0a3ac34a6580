using System.Collections.Immutable;
using Weft.Api.Shutdown;
using Weft.Cli.Kubeconfigs;
using Weft.Cli.Nodes;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;

namespace Weft.Cli.Clusters;

/// <summary>Removes what the node of a cluster left on the machine: containers, namespaces, interfaces, mounts, cgroups, tables. Returns what it could not remove.</summary>
public delegate Task<IReadOnlyList<string>> NodeCleaner(ClusterPaths paths, ClusterSettings? settings, CancellationToken cancellationToken);

/// <summary>`weft down`: stops a cluster and takes away all it made, also one that came up only half-way. With purge its data goes too.</summary>
public sealed class DownCommand(NodeCleaner cleanNode, TimeProvider time, TextWriter output, TextWriter errors)
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(20);

    /// <summary>The pods are asked to end first, and have these periods. Null: they are not.</summary>
    public ImmutableArray<PriorityPeriod>? Graceful { get; init; }

    public async Task<int> RunAsync(ClusterPaths paths, bool purge, CancellationToken cancellationToken)
    {
        if (ClusterPaths.WhyBadName(paths.Name) is { } badName)
            return Fail(badName);
        if (!Environment.IsPrivilegedProcess)
            return Fail("it removes network namespaces and cgroups, so it needs root: run it with sudo");

        using var alone = ClusterLock.TryTake(paths);
        if (alone is null)
            return Fail(ClusterLock.Busy(paths));
        if (purge && Directory.Exists(paths.DataDir) && !File.Exists(paths.Settings) && !File.Exists(paths.AgentSettings) && Directory.EnumerateFileSystemEntries(paths.DataDir).Any())
            return Fail($"{paths.DataDir} holds no cluster (there is no {Path.GetFileName(paths.Settings)}): it is not removed");

        var somethingThere = Directory.Exists(paths.RunDir) || Directory.Exists(paths.DataDir);
        if (Graceful is { } periods && Supervisor.Find(paths) is not null)
        {
            foreach (var problem in await new GracefulEnd(time, output).RunAsync(paths, periods, cancellationToken))
                errors.WriteLine($"weft down: {problem}");
        }

        if (Supervisor.Find(paths) is { } supervisor && !await supervisor.StopAsync(StopGrace, time, cancellationToken))
            return Fail($"the supervisor (pid {supervisor.Pid}) does not end");
        if ((await Supervisor.EndOrphansAsync(paths, time)).FirstOrDefault() is { } orphan)
            return Fail($"the {orphan.Name} (pid {orphan.Process?.Pid}) does not end");
        if (ServerState.Load(paths.ServerFile)?.Process is { IsAlive: true } server && !await server.StopAsync(StopGrace, time, cancellationToken))
            return Fail($"the server (pid {server.Pid}) does not end");

        await NodeAddress.ReleaseAsync(paths.RunDir, cancellationToken);
        var settings = LoadSettings(paths);
        var left = await LocalNodes.DownAsync(paths, settings, cleanNode, time, cancellationToken);
        if (left.Count == 0)
            left = await cleanNode(paths, settings, cancellationToken);
        if (left.Count > 0)
            return Fail("could not remove:\n  " + string.Join("\n  ", left) + "\nrun 'weft down' again; if it stays, restart the machine");

        if (Directory.Exists(paths.RunDir))
            Directory.Delete(paths.RunDir, recursive: true);
        await UserKubeconfig.ForCaller().RemoveAsync(paths, cancellationToken);
        var kept = purge ? Purge(paths) : null;

        output.WriteLine((somethingThere, purge) switch
        {
            (false, _) => $"cluster '{paths.Name}' was not up; nothing of it is on this machine",
            (true, true) when kept is not null => $"cluster '{paths.Name}' is gone, its data too; {kept} is not the cluster's and stays",
            (true, true) => $"cluster '{paths.Name}' is gone, its data too",
            (true, false) => $"cluster '{paths.Name}' is down; its data stays in {paths.DataDir} (weft down --purge removes it)",
        });
        return 0;
    }

    /// <summary>Removes what a cluster puts into its directory, and the directory if nothing else is in it. Returns what else is in it.</summary>
    private static string? Purge(ClusterPaths paths)
    {
        if (!Directory.Exists(paths.DataDir))
            return null;
        foreach (var directory in new[] { Path.GetDirectoryName(paths.Database)!, paths.Pki, Path.GetDirectoryName(paths.Log)!, paths.Node, paths.Nodes, paths.Registry, paths.Proxy, paths.DemoApps })
        {
            if (Directory.Exists(directory))
                Directory.Delete(directory, recursive: true);
            else
                File.Delete(directory); // something that was in the way of a start
        }

        File.Delete(paths.Kubeconfig);
        File.Delete(paths.RegistryPassword);
        File.Delete(paths.DiscoveryToken);
        File.Delete(paths.Settings);
        File.Delete(paths.AgentSettings);
        if (Directory.EnumerateFileSystemEntries(paths.DataDir).FirstOrDefault() is { } other)
            return other;
        Directory.Delete(paths.DataDir);
        return null;
    }

    // Settings that cannot be read must not keep a broken cluster on the machine.
    private ClusterSettings? LoadSettings(ClusterPaths paths)
    {
        try
        {
            return ClusterSettings.Load(paths.Settings);
        }
        catch (Exception bad) when (bad is InvalidDataException or System.Text.Json.JsonException or IOException)
        {
            errors.WriteLine($"weft down: {bad.Message}; going on without it");
            return null;
        }
    }

    private int Fail(string sentence)
    {
        errors.WriteLine($"weft down: {sentence}");
        return 1;
    }
}
