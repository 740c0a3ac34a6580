using System.Globalization;
using Weft.Cli.Clusters;
using Weft.Cli.Objects;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;

namespace Weft.Cli.Nodes;

/// <summary>
/// Nodes 2 to N of one machine: each is what `weft agent --join` makes of another machine, with its own network namespace, data directory, containers
/// and supervisor. Only the network between them is made here.
/// </summary>
public sealed class LocalNodes(ClusterPaths cluster, string executable, TimeProvider time, TextWriter output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan TokenLife = TimeSpan.FromHours(1);

    /// <summary>Starts what does not run of nodes 2 to N; returns when all are Ready.</summary>
    /// <returns>The sentence for the user, or null.</returns>
    public async Task<string?> UpAsync(ClusterSettings settings, CancellationToken cancellationToken)
    {
        if (settings.Nodes < 2)
            return null;
        var link = settings.LinkCidr() ?? throw new InvalidOperationException("refused before");
        var started = time.GetTimestamp();
        try
        {
            await LocalNetwork.EnsureAsync(cluster, link, settings.Nodes, cancellationToken);
        }
        catch (IOException refused)
        {
            return $"the network between the nodes cannot be made: {refused.Message}";
        }

        string? token = null;
        var waiting = new List<(ClusterPaths Paths, ProcessIdentity Supervisor)>();
        for (var number = 2; number <= settings.Nodes; number++)
        {
            var paths = cluster.LocalNode(number);
            if (Supervisor.Find(paths) is { } running)
            {
                waiting.Add((paths, running));
                continue;
            }

            await Supervisor.EndOrphansAsync(paths, time);
            Directory.CreateDirectory(Path.GetDirectoryName(paths.Log)!);
            Directory.CreateDirectory(paths.RunDir);
            File.Delete(paths.ServerFile);
            var known = AgentSettings.Load(paths.AgentSettings);
            if (known is not { Token: null })
                token ??= await TokenAsync(cancellationToken);
            Settings(known, settings, link, number, token).Save(paths.AgentSettings);
            waiting.Add((paths, Daemon.Start(paths, executable, LocalNetwork.NamespacePath(LocalNetwork.NodeNamespace(cluster, number)))));
        }

        foreach (var (paths, supervisor) in waiting)
        {
            if (await new ReadyWait(time, TextWriter.Null).WaitAsync(paths, supervisor, started, Patience, cancellationToken) is { } failure)
                return $"node {AgentSettings.Load(paths.AgentSettings)?.NodeName}: {failure}";
            var elapsed = time.GetElapsedTime(started);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {elapsed.TotalSeconds,5:0.00} s  {ServerState.Load(paths.ServerFile)?.Message}"));
        }

        return null;
    }

    /// <summary>Ends the nodes and takes away what they made, then the network between them. The whole cluster's pods end with it.</summary>
    /// <returns>What could not be done, in words.</returns>
    public static async Task<IReadOnlyList<string>> DownAsync(ClusterPaths cluster, ClusterSettings? settings, NodeCleaner clean, TimeProvider time, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        // Addresses and routes of these nodes are in their namespaces, and go with them: on the machine there is nothing to look for.
        var inside = new ClusterSettings(0, settings?.PodCidr ?? "192.0.2.0/24", "");
        foreach (var number in Numbers(cluster))
        {
            var paths = cluster.LocalNode(number);
            if (Supervisor.Find(paths) is { } supervisor && !await supervisor.StopAsync(StopGrace, time, cancellationToken))
                problems.Add($"the supervisor of node {number} (pid {supervisor.Pid}) does not end");
            if ((await Supervisor.EndOrphansAsync(paths, time)).FirstOrDefault() is { } orphan)
                problems.Add($"the {orphan.Name} of node {number} (pid {orphan.Process?.Pid}) does not end");
            problems.AddRange((await clean(paths, inside, cancellationToken)).Select(problem => $"node {number}: {problem}"));
            if (Directory.Exists(paths.RunDir))
                Directory.Delete(paths.RunDir, recursive: true);
        }

        try
        {
            await LocalNetwork.RemoveAsync(cluster, cancellationToken);
        }
        catch (IOException refused)
        {
            problems.Add("network of the nodes: " + refused.Message);
        }

        return problems;
    }

    // From the data and from what is in memory: either may be lost.
    internal static IReadOnlyList<int> Numbers(ClusterPaths cluster)
    {
        var data = Directory.Exists(cluster.Nodes) ? Directory.EnumerateDirectories(cluster.Nodes).Select(path => Path.GetFileName(path)!) : [];
        var prefix = Path.GetFileName(cluster.LocalNode(0).RunDir)[..^1];
        var run = Directory.EnumerateDirectories("/run").Select(path => Path.GetFileName(path)!).Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..]);
        var names = LocalNetwork.Namespaces(cluster).Select(name => name[(name.LastIndexOf('.') + 1)..]);
        return [.. data.Concat(run).Concat(names).Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).Where(number => number > 1).Distinct().Order()];
    }

    private AgentSettings Settings(AgentSettings? known, ClusterSettings settings, string link, int number, string? token)
    {
        var made = known ?? new AgentSettings("", FormattableString.Invariant($"{Environment.MachineName.ToLowerInvariant()}-{number}"));
        return made with
        {
            Server = FormattableString.Invariant($"https://{AddressPlan.Host(link, 1)}:{settings.ApiPort}"),
            Token = known is { Token: null } ? null : token,
            NodeIp = AddressPlan.Host(link, (byte)number).ToString(),
            NextHop = MachineAddress.OfDefaultRoute()?.ToString(),
            LeaseSeconds = settings.LeaseSeconds(),
            Mesh = settings.Mesh,
            HiddenPaths = [cluster.DataDir, cluster.RunDir],
        };
    }

    private async Task<string> TokenAsync(CancellationToken cancellationToken)
    {
        var access = ClusterConnection.Find(cluster);
        using var client = access.Connect(time, "weft");
        return (await new TokenStore(client, time).CreateAsync(access.CertificateAuthorityPem!, TokenLife, "nodes of weft up", cancellationToken)).Text;
    }
}
