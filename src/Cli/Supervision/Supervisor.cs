using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;

namespace Weft.Cli.Supervision;

/// <summary>
/// Keeps the processes of one cluster on this machine running: starts each, starts it again when it dies, ends all when told to end itself.
/// Pods are not its children: they outlive it.
/// </summary>
/// <param name="children">All start at once. They are ended one after the other, the last first: what others rely on stands first.</param>
public sealed class Supervisor(ClusterPaths paths, IReadOnlyList<ChildSpec> children, TimeProvider time)
{
    /// <summary>Exit code of a child that cannot start, whatever is tried again (EX_CONFIG of sysexits.h).</summary>
    public const int CannotStart = 78;

    /// <summary>Exit code of an essential child that has learned what all are to be started by: they end, and start with new sockets.</summary>
    public const int StartAnew = 79;

    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();

    /// <summary>Runs until a signal asks it to end.</summary>
    public async Task<int> RunAsync()
    {
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
        return await RunAsync(stopping.Token);

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }

    internal async Task<int> RunAsync(CancellationToken stopping)
    {
        await EndOrphansAsync(paths, time);
        AtomicFile.Write(paths.SupervisorFile, JsonSerializer.SerializeToUtf8Bytes(ProcessIdentity.Current, ClusterJson.Default.ProcessIdentity), StateFile.Mode);
        await using var rotation = time.CreateTimer(_ => LogRotation.RotateIfLarge(paths.Log), null, LogInterval, LogInterval);

        var exit = StartAnew;
        while (exit == StartAnew && !stopping.IsCancellationRequested)
            exit = await RunChildrenAsync(stopping);
        File.Delete(paths.ChildrenFile);
        File.Delete(paths.SupervisorFile);
        return exit == StartAnew ? 0 : exit;
    }

    private async Task<int> RunChildrenAsync(CancellationToken stopping)
    {
        var all = new List<SupervisedChild>();
        all.AddRange(children.Select(spec => new SupervisedChild(spec, Save, Say, time)));
        var running = all.ConvertAll(child => child.RunAsync());
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stopping.Register(stop.SetResult);

        // An essential child ends by itself only when it cannot start, or wants all to start anew; the others never do.
        var first = await Task.WhenAny(running.Append(stop.Task));
        var exit = first is Task<int> gaveUp ? await gaveUp : 0;
        for (var i = all.Count - 1; i >= 0; i--)
        {
            all[i].Stop();
            await running[i];
            all[i].Dispose();
        }

        return exit;

        void Save()
        {
            lock (_gate)
                ChildState.Save(paths.ChildrenFile, all.Select(child => child.State));
        }
    }

    /// <summary>Ends children of a supervisor that was killed: they hold the ports and sockets of those to come.</summary>
    public static async Task<IReadOnlyList<ChildState>> EndOrphansAsync(ClusterPaths paths, TimeProvider time)
    {
        var left = new List<ChildState>();
        foreach (var child in ChildState.Load(paths).Reverse())
        {
            if (child.Process is { IsAlive: true } orphan && !await orphan.StopAsync(TimeSpan.FromSeconds(10), time, CancellationToken.None))
                left.Add(child);
        }

        return left;
    }

    /// <summary>What it says of its children.</summary>
    internal TextWriter Output { get; init; } = Console.Error;

    private void Say(string sentence)
    {
        try
        {
            Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} supervisor: {sentence}"));
        }
        catch (IOException)
        {
            // The disk of the log is full: the children are to live all the same.
        }
    }

    public static ProcessIdentity? Find(ClusterPaths paths) =>
        StateFile.Load(paths.SupervisorFile, ClusterJson.Default.ProcessIdentity) is { IsAlive: true } alive ? alive : null;
}
