using System.Net;
using Weft.Cli.Kubeconfigs;
using Weft.Cli.Nodes;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;

namespace Weft.Cli.Clusters;

/// <param name="ApiPort">Null: the port that the cluster has, or 6443 for a new one.</param>
/// <param name="Executable">This program: the supervisor and the server are roles of it.</param>
public sealed record UpOptions(ClusterPaths Paths, int? ApiPort, bool Foreground, string Executable)
{
    /// <summary>Nodes on this machine; null: as many as the cluster has.</summary>
    public int? Nodes { get; init; }

    /// <summary>Nodes that are only played; null: as many as the cluster has.</summary>
    public int? Simulate { get; init; }

    /// <summary>Null: what the cluster has, or Kubernetes' values.</summary>
    public int? NodeGraceSeconds { get; init; }
    public int? EvictionSeconds { get; init; }

    /// <summary>Null: what the cluster has, or <see cref="UpCommand.DefaultMesh"/> for a new one.</summary>
    public bool? Mesh { get; init; }

    /// <summary>Null: what the cluster has, or a day.</summary>
    public int? CertificateSeconds { get; init; }

    /// <summary>File with services; null: the one that the cluster has; empty: none any more.</summary>
    public string? ServicesFile { get; init; }
}

/// <summary>`weft up`: starts a cluster, or finds it running, and returns when its node is Ready.</summary>
public sealed class UpCommand(TimeProvider time, TextWriter output, TextWriter errors)
{
    internal const int DefaultApiPort = 6443;

    /// <summary>Of a new cluster.</summary>
    internal const bool DefaultMesh = true;

    // Shorter than this a certificate would be renewed while the last one is still on its way.
    private const int LeastCertificateSeconds = 20, MostCertificateSeconds = 90 * 86400;

    // What the scheduler's goal names.
    private const int MaxSimulated = 5000;

    // Far above the goal of a second: a slow disk must not look like a failure.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public async Task<int> RunAsync(UpOptions options, CancellationToken cancellationToken)
    {
        var paths = options.Paths;
        if (ClusterPaths.WhyBadName(paths.Name) is { } badName)
            return Fail(badName);

        // Before the look for a supervisor: two that look at once would both start one.
        using var alone = Environment.IsPrivilegedProcess ? ClusterLock.TryTake(paths) : null;
        if (alone is null && Environment.IsPrivilegedProcess)
            return Fail(ClusterLock.Busy(paths));

        if (WhyNot(options) is { } refusal)
            return Fail(refusal);
        var running = Supervisor.Find(paths);
        if (running is null && await PrepareAsync(options, cancellationToken) is { } problem)
            return Fail(problem);
        if (running is null && options.Foreground)
        {
            alone?.Dispose(); // `down` in another terminal must be able to end this one
            return await new Supervisor(paths, ClusterChildren.Of(paths, options.Executable), time).RunAsync();
        }

        var started = time.GetTimestamp();
        if (running is not null && Environment.IsPrivilegedProcess && Change(options) is { } unchangeable)
            return Fail(unchangeable);
        running ??= Daemon.Start(paths, options.Executable, null);
        if (await new ReadyWait(time, output).WaitAsync(paths, running, started, Patience, cancellationToken) is { } failure)
            return Fail(failure);
        if (Environment.IsPrivilegedProcess && ClusterSettings.Load(paths.Settings) is { } made
            && await new LocalNodes(paths, options.Executable, time, output).UpAsync(made, cancellationToken) is { } nodeFailure)
            return Fail(nodeFailure);

        var context = await UserKubeconfig.ForCaller().AddAsync(paths, cancellationToken);
        output.WriteLine();
        output.WriteLine($"kubectl now talks to it: context '{context.Context}' in {context.Path}{(context.Backup is { } backup ? $" (the old file is {backup})" : "")}");
        var which = (paths.Name == ClusterPaths.DefaultName ? "" : $" --name {paths.Name}") + (paths == ClusterPaths.For(paths.Name, null) ? "" : $" --data-dir {paths.DataDir}");
        if (Environment.IsPrivilegedProcess && ProxyChild.WhyRoot(options.Executable, paths.Proxy) is { } closed)
            output.WriteLine($"note:  the node's proxy runs as root, as its own user may not pass {closed}: chmod o+x on it, or choose another --data-dir, and start anew");
        output.WriteLine($"next:  kubectl get nodes     weft status{which}     weft demo{which}     weft down{which}");
        return 0;
    }

    /// <summary>Everything that can be refused is refused here, before a process starts. Returns the sentence, or null.</summary>
    private async Task<string?> PrepareAsync(UpOptions options, CancellationToken cancellationToken)
    {
        var paths = options.Paths;
        var known = Environment.IsPrivilegedProcess ? ClusterSettings.Load(paths.Settings) : null;
        var port = options.ApiPort ?? known?.ApiPort ?? DefaultApiPort;
        if (port is < 1 or > 65535)
            return $"--api-port {port} is no port: use 1 to 65535";

        // Children without their supervisor: someone killed it. They hold the ports and the store.
        await Supervisor.EndOrphansAsync(paths, time);
        if (ServerState.Load(paths.ServerFile)?.Process is { IsAlive: true } orphan)
            await orphan.StopAsync(TimeSpan.FromSeconds(10), time, cancellationToken);

        var problems = Preflight.Problems(port, portIsOurs: false);
        if (problems.Count > 0)
            return string.Join(Environment.NewLine, problems);

        using var choice = await NetworkChoice.TryTakeAsync(time, cancellationToken);
        if (choice is null)
            return NetworkChoice.Busy;
        if (known is not null && MachineNetworks.HolderOf(known, ClusterPaths.RunPlace, paths.RunDir) is { } holder)
            return $"its networks, {known.PodCidr} and {known.ServiceCidr}, meet those of cluster '{holder}', which is up on this machine: 'weft down --name {holder}' first (with its --data-dir, if it has one)";
        IReadOnlyList<IPNetwork> taken = known is null ? MachineNetworks.Read() : [];
        var podCidr = known?.PodCidr ?? AddressPlan.ChoosePodCidr(taken);
        if (podCidr is null)
            return "every network from 10.128.0.0/16 to 10.244.0.0/16 is in use: 'ip route' and 'ip address' show those of this machine, and each other cluster of it keeps its own until 'weft down --purge'";
        var serviceCidr = known?.ServiceCidr ?? AddressPlan.ChooseServiceCidr(taken);
        if (serviceCidr is null)
            return "every network from 10.96.0.0/16 to 10.127.0.0/16 is in use: 'ip route' and 'ip address' show those of this machine, and each other cluster of it keeps its own until 'weft down --purge'";

        if (known is null && Directory.Exists(paths.DataDir) && Directory.EnumerateFileSystemEntries(paths.DataDir).Any())
            return $"{paths.DataDir} is not empty and holds no cluster: choose an empty or new directory with --data-dir";

        try
        {
            Directory.CreateDirectory(paths.DataDir);
            Directory.CreateDirectory(paths.RunDir);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return $"cannot make {paths.DataDir}: {refused.Message}; choose another place with --data-dir";
        }

        // The demo's programs below it run as an ordinary user: the folder may be passed, not read; what is secret has its own mode.
        File.SetUnixFileMode(paths.DataDir, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        if (known is not null && options.CertificateSeconds is { } life && life != known.CertificateSeconds)
            return $"--mesh-certificate-life {life}: it was chosen when the cluster was made ({(known.CertificateSeconds is { } chosen ? $"{chosen} s" : "a day")}), and certificates of it are out";
        var settings = Apply(options, known ?? new ClusterSettings(port, podCidr, serviceCidr) { Mesh = DefaultMesh }) with { ApiPort = port };
        if (WhyNot(options, settings) is { } refusal)
            return refusal;
        if (settings != known)
            settings.Save(paths.Settings); // first of all files: it says that the directory is a cluster's
        MachineNetworks.Note(settings, paths.RunDir);
        Directory.CreateDirectory(Path.GetDirectoryName(paths.Log)!);
        File.Delete(paths.ServerFile);
        return null;
    }

    private static string? WhyNot(UpOptions options)
    {
        if (File.Exists(options.Paths.AgentSettings))
            return $"this machine is a node of another cluster ({options.Paths.AgentSettings}): 'weft agent' starts it, 'weft down --purge' ends that, --name starts a cluster beside it";
        if (options.Nodes is < 1 or > LocalNetwork.MaxNodes)
            return $"--nodes {options.Nodes}: use 1 to {LocalNetwork.MaxNodes}";
        if (options.Simulate is < 0 or > MaxSimulated)
            return $"--simulate {options.Simulate}: use 0 to {MaxSimulated}";
        if (options.NodeGraceSeconds is < 4 or > 3600)
            return $"--node-grace {options.NodeGraceSeconds}: use 4 to 3600 seconds";
        if (options.CertificateSeconds is < LeastCertificateSeconds or > MostCertificateSeconds)
            return $"--mesh-certificate-life {options.CertificateSeconds}: use {LeastCertificateSeconds} to {MostCertificateSeconds} seconds";
        if (options.ServicesFile is { Length: > 0 } file && !File.Exists(file))
            return $"--services {file}: there is no such file";
        return options.EvictionSeconds is < 0 or > 86400 ? $"--evict-after {options.EvictionSeconds}: use 0 to 86400 seconds" : null;
    }

    private static string? WhyNot(UpOptions options, ClusterSettings settings)
    {
        if (settings.Nodes > 1 && settings.LinkCidr() is null)
            return $"this cluster was made by an older weft: its first node has the whole pod network {settings.PodCidr}, and there is none for others. It runs on as it is; for more nodes make it anew: weft down --purge, weft up --nodes {settings.Nodes}";
        return options.Foreground && settings.Nodes > 1 ? "--foreground keeps one node's processes in this terminal: leave it out, or start with one node" : null;
    }

    private static ClusterSettings Apply(UpOptions options, ClusterSettings settings) => settings with
    {
        Nodes = options.Nodes ?? settings.Nodes,
        SimulatedNodes = options.Simulate ?? settings.SimulatedNodes,
        NodeGraceSeconds = options.NodeGraceSeconds ?? settings.NodeGraceSeconds,
        EvictionSeconds = options.EvictionSeconds ?? settings.EvictionSeconds,
        Mesh = options.Mesh ?? settings.Mesh,
        CertificateSeconds = options.CertificateSeconds ?? settings.CertificateSeconds,
        ServicesFile = options.ServicesFile is null ? settings.ServicesFile : options.ServicesFile.Length == 0 ? null : Path.GetFullPath(options.ServicesFile),
    };

    /// <summary>What can be changed while the cluster runs: more nodes. Returns the sentence, or null.</summary>
    private static string? Change(UpOptions options)
    {
        if (ClusterSettings.Load(options.Paths.Settings) is not { } known)
            return null;
        var wanted = Apply(options, known);
        if (wanted.Nodes < known.Nodes)
            return $"the cluster has {known.Nodes} nodes: drain one with 'kubectl drain NODE' and delete it with 'kubectl delete node NODE', or start anew with fewer (weft down, weft up --nodes {wanted.Nodes})";
        if (wanted with { Nodes = known.Nodes } != known)
            return "--simulate, --node-grace, --evict-after, --mesh and --services are read at the start: weft down, then weft up with them";
        if (WhyNot(options, wanted) is { } refusal)
            return refusal;
        if (wanted != known)
            wanted.Save(options.Paths.Settings);
        return null;
    }

    private int Fail(string sentence)
    {
        errors.WriteLine($"weft up: {sentence}");
        return 1;
    }
}
