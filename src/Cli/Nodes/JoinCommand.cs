using Weft.Api.Joining;
using Weft.Cli.Clusters;
using Weft.Cli.Supervision;

namespace Weft.Cli.Nodes;

/// <param name="Server">Null: the cluster that this machine has joined before.</param>
/// <param name="NodeName">Null: the machine's name.</param>
/// <param name="NodeIp">Null: the address of the default route's interface.</param>
public sealed record JoinOptions(ClusterPaths Paths, string? Server, string? Token, string? NodeName, string? NodeIp, string Executable);

/// <summary>`weft agent`: makes this machine a node of a cluster that runs elsewhere, or starts the node that it is.</summary>
public sealed class JoinCommand(TimeProvider time, TextWriter output, TextWriter errors)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public async Task<int> RunAsync(JoinOptions options, CancellationToken cancellationToken)
    {
        var paths = options.Paths;
        if (ClusterPaths.WhyBadName(paths.Name) is { } badName)
            return Fail(badName);
        if (!Environment.IsPrivilegedProcess)
            return Fail("a node makes network namespaces and cgroups, so it needs root: run it with sudo");
        using var alone = ClusterLock.TryTake(paths);
        if (alone is null)
            return Fail(ClusterLock.Busy(paths));

        // With a token it was never let in: that try does not bind the next one.
        var found = AgentSettings.Load(paths.AgentSettings);
        var known = found is { Token: null } ? found : null;
        var running = Supervisor.Find(paths);
        if (running is null && Prepare(options, known, isNew: found is null) is { } problem)
            return Fail(problem);
        if (running is not null && options.Server is { } other && known is not null && !Same(other, known.Server))
            return Fail($"this machine is a node of {known.Server}: 'weft down --purge' ends that");

        var started = time.GetTimestamp();
        running ??= Daemon.Start(paths, options.Executable, null);
        if (await new ReadyWait(time, output).WaitAsync(paths, running, started, Patience, cancellationToken) is not { } failure)
            return 0;
        // A node that was never let in does not go on trying behind the user's back.
        if (AgentSettings.Load(paths.AgentSettings) is { Token: not null })
            await running.StopAsync(TimeSpan.FromSeconds(10), time, CancellationToken.None);

        return Fail(failure);
    }

    private static string? Prepare(JoinOptions options, AgentSettings? known, bool isNew)
    {
        var paths = options.Paths;
        if (File.Exists(paths.Settings))
            return $"{paths.DataDir} holds a cluster: a node that joins another needs a place of its own, --name or --data-dir gives it one";
        if (options.Server is null && known is null)
            return "say which cluster: weft agent --join https://HOST:6443 --token TOKEN ('weft token create' there makes one)";
        if (options.Server is not null && known is not null && !Same(options.Server, known.Server))
            return $"this machine is a node of {known.Server}: 'weft down --purge' ends that";
        if (known is null)
        {
            if (!Uri.TryCreate(options.Server, UriKind.Absolute, out var server) || server.Scheme != Uri.UriSchemeHttps || server.PathAndQuery != "/")
                return $"--join {options.Server}: give the address of the API server, such as https://10.0.0.5:6443";
            if (options.Token is null || JoinToken.Parse(options.Token) is null)
                return "--token: that is no token; 'weft token create' on the cluster's machine prints one (K10...)";
            if (isNew && Directory.Exists(paths.DataDir) && Directory.EnumerateFileSystemEntries(paths.DataDir).Any())
                return $"{paths.DataDir} is not empty and holds no node: choose an empty or new directory with --data-dir";
            if (options.NodeIp is { } ip && !System.Net.IPAddress.TryParse(ip, out _))
                return $"--node-ip {ip} is no address";
        }

        var problems = Preflight.Problems(apiPort: 0, portIsOurs: true);
        if (problems.Count > 0)
            return string.Join(Environment.NewLine, problems);
        const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        Directory.CreateDirectory(paths.DataDir, Passable);
        Directory.CreateDirectory(paths.RunDir);
        Directory.CreateDirectory(Path.GetDirectoryName(paths.Log)!);
        File.Delete(paths.ServerFile);
        var settings = known ?? new AgentSettings(options.Server!.TrimEnd('/'), (options.NodeName ?? Environment.MachineName).ToLowerInvariant()) { NodeIp = options.NodeIp };
        (known ?? settings with { Token = options.Token }).Save(paths.AgentSettings);
        return null;
    }

    private static bool Same(string one, string other) => string.Equals(one.TrimEnd('/'), other.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);

    private int Fail(string sentence)
    {
        errors.WriteLine($"weft agent: {sentence}");
        return 1;
    }
}
