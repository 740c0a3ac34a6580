using System.Diagnostics;
using System.Globalization;
using System.Net;
using Weft.Cli.Kubeconfigs;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;

namespace Weft.Cli.Clusters;

/// <param name="ApiPort">Null: the port that the cluster has, or 6443 for a new one.</param>
/// <param name="Executable">This program: the supervisor and the server are roles of it.</param>
public sealed record UpOptions(ClusterPaths Paths, int? ApiPort, bool Foreground, string Executable);

/// <summary>`weft up`: starts a cluster, or finds it running, and returns when its node is Ready.</summary>
public sealed class UpCommand(TimeProvider time, TextWriter output, TextWriter errors)
{
    private const int DefaultApiPort = 6443;

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

        var running = Supervisor.Find(paths);
        if (running is null && await PrepareAsync(options, cancellationToken) is { } problem)
            return Fail(problem);
        if (running is null && options.Foreground)
        {
            alone?.Dispose(); // `down` in another terminal must be able to end this one
            return await new Supervisor(paths, ClusterChildren.Of(paths, options.Executable), time).RunAsync();
        }

        var started = time.GetTimestamp();
        running ??= Daemonise(paths, options.Executable);
        if (await WaitReadyAsync(paths, running, started, cancellationToken) is { } failure)
            return Fail(failure);

        var context = await UserKubeconfig.ForCaller().AddAsync(paths, cancellationToken);
        output.WriteLine();
        output.WriteLine($"kubectl now talks to it: context '{context.Context}' in {context.Path}{(context.Backup is { } backup ? $" (the old file is {backup})" : "")}");
        var which = paths == ClusterPaths.For(ClusterPaths.DefaultName, null) ? "" : $" --name {paths.Name} --data-dir {paths.DataDir}";
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

        var podCidr = known?.PodCidr ?? AddressPlan.ChoosePodCidr(AddressPlan.Routes(File.ReadLines("/proc/net/route")));
        if (podCidr is null)
            return "every network from 10.128.0.0/16 to 10.244.0.0/16 is in use by a route of this machine: remove one with 'ip route del'";

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
        var settings = (known ?? new ClusterSettings(port, podCidr, "10.96.0.0/16")) with { ApiPort = port };
        if (settings != known)
            settings.Save(paths.Settings); // first of all files: it says that the directory is a cluster's
        Directory.CreateDirectory(Path.GetDirectoryName(paths.Log)!);
        File.Delete(paths.ServerFile);
        return null;
    }

    /// <summary>Starts the supervisor in a session of its own, with the cluster's log as its output: it outlives this terminal.</summary>
    private static ProcessIdentity Daemonise(ClusterPaths paths, string executable)
    {
        var shell = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", "exec setsid \"$@\" >>\"$0\" 2>&1 </dev/null", paths.Log, executable, "supervise", "--name", paths.Name, "--data-dir", paths.DataDir },
            WorkingDirectory = "/",
            // The runtime's diagnostic pipes in /tmp outlive a process that is killed; `down` promises to leave nothing.
            Environment = { ["DOTNET_EnableDiagnostics"] = "0" },
        };
        using var process = Process.Start(shell) ?? throw new InvalidOperationException("/bin/sh did not start");
        return ProcessIdentity.Of(process.Id) ?? new(process.Id, 0);
    }

    private async Task<string?> WaitReadyAsync(ClusterPaths paths, ProcessIdentity supervisor, long started, CancellationToken cancellationToken)
    {
        var shown = ServerPhase.Starting;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5), time);
        while (await tick.WaitForNextTickAsync(cancellationToken))
        {
            var state = ServerState.Load(paths.ServerFile);
            var elapsed = time.GetElapsedTime(started);
            if (state is { Phase: ServerPhase.Failed })
                return $"{state.Message}\n(the log is {paths.Log})";
            if (state is { Process.IsAlive: true } && state.Phase > shown)
            {
                shown = state.Phase;
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {elapsed.TotalSeconds,5:0.00} s  {state.Message}"));
            }

            if (shown == ServerPhase.Ready)
                return null;
            if (!supervisor.IsAlive)
                return $"the server did not start; the end of {paths.Log} says why:\n{Tail(paths.Log)}";
            if (elapsed > Patience)
                return $"not ready after {Patience.TotalSeconds:0} s; the end of {paths.Log} says why:\n{Tail(paths.Log)}";
        }

        return "cancelled";
    }

    private static string Tail(string log) => File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(15)) : "(the log is empty)";

    private int Fail(string sentence)
    {
        errors.WriteLine($"weft up: {sentence}");
        return 1;
    }
}
