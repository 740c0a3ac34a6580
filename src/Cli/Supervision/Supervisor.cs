using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;

namespace Weft.Cli.Supervision;

/// <summary>
/// Keeps the server of one cluster running: starts it, starts it again when it dies, ends it when told to end itself.
/// Pods are not its children: they outlive both.
/// </summary>
public sealed class Supervisor(ClusterPaths paths, string executable, IReadOnlyList<string> serverArguments, TimeProvider time)
{
    /// <summary>Exit code of a server that cannot start, whatever is tried again (EX_CONFIG of sysexits.h).</summary>
    public const int CannotStart = 78;

    // A pod's status and leases must go out; the server itself needs a few milliseconds.
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    public async Task<int> RunAsync()
    {
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);

        AtomicFile.Write(paths.SupervisorFile, JsonSerializer.SerializeToUtf8Bytes(ProcessIdentity.Current, ClusterJson.Default.ProcessIdentity), StateFile.Mode);
        using var rotation = time.CreateTimer(_ => LogRotation.RotateIfLarge(paths.Log), null, LogInterval, LogInterval);
        var restarts = new RestartBackoff();
        var first = true;
        while (!stopping.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            var exit = await RunServerAsync(stopping.Token);
            if (stopping.IsCancellationRequested)
                break;
            // Said by the first start it is a fault of the set-up, and `weft up` shows it; later it may be a disk that is full for now.
            if (exit == CannotStart && first)
                return CannotStart;
            first = false;

            var delay = restarts.Next(time.GetElapsedTime(started));
            Say($"the server ended with {exit}; starting it again in {delay.TotalMilliseconds:0} ms");
            await Task.Delay(delay, time, stopping.Token).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        File.Delete(paths.SupervisorFile);
        return 0;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }

    private async Task<int> RunServerAsync(CancellationToken stopping)
    {
        Process? started;
        try
        {
            started = Process.Start(new ProcessStartInfo(executable, serverArguments));
        }
        catch (System.ComponentModel.Win32Exception refused)
        {
            // The program is being replaced, or the machine is out of processes or memory: as good as a server that died at once.
            Say($"the server cannot be started: {refused.Message}");
            return -1;
        }

        using var server = started ?? throw new InvalidOperationException($"{executable} did not start");
        try
        {
            await server.WaitForExitAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            if (ProcessIdentity.Of(server.Id) is { } identity)
                await identity.StopAsync(StopGrace, time, CancellationToken.None);
            await server.WaitForExitAsync(CancellationToken.None);
        }

        return server.ExitCode;
    }

    private void Say(string sentence) =>
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} supervisor: {sentence}"));

    public static ProcessIdentity? Find(ClusterPaths paths) =>
        StateFile.Load(paths.SupervisorFile, ClusterJson.Default.ProcessIdentity) is { IsAlive: true } alive ? alive : null;
}
