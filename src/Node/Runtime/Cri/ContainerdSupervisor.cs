using Microsoft.Extensions.Logging;
using Weft.Grpc;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Cri;

/// <summary>
/// Keeps one containerd running: finds the one an earlier run left, starts it where there is none, and again with back-off when it has died. Pods
/// do not notice: their shims hold them. While it runs, a session (events and what they mean) is kept open to it.
/// </summary>
/// <param name="session">Runs as long as containerd answers; calls its argument when what runs is known.</param>
internal sealed partial class ContainerdSupervisor(
    CriRuntimeOptions options, ContainerMachine machine, CriClient client, EventLoop loop, Func<Action, CancellationToken, Task> session,
    TimeProvider time, Random random, ILogger<ContainerdSupervisor> logger) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(10), Patience = TimeSpan.FromSeconds(30);

    // It boots in 50 ms; asked again soon, so that the first pod does not wait for the asking.
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(10);

    private readonly CriPaths _paths = new(options);
    private readonly CancellationTokenSource _stop = new();
    private volatile TaskCompletionSource _up = NewGate();
    private volatile string _problem = "it has not answered yet";
    private Task _running = Task.CompletedTask;

    public void Start() => _running = RunAsync();

    /// <exception cref="RuntimeException">It does not answer in time; the message says why.</exception>
    public async Task WaitReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _up.Task.WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new RuntimeException(RuntimeError.Sandbox, $"containerd does not answer ({_problem}); its log is {_paths.Log}", e);
        }
    }

    private async Task RunAsync()
    {
        var failures = 0;
        while (!_stop.IsCancellationRequested)
        {
            var from = time.GetTimestamp();
            try
            {
                await RunOnceAsync();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is IOException or GrpcException or OperationCanceledException)
            {
                _problem = e.Message;
            }

            if (_stop.IsCancellationRequested)
                return;
            if (_up.Task.IsCompleted)
                _up = NewGate();
            failures = time.GetElapsedTime(from) > LongestPause ? 0 : failures + 1;
            var pause = failures <= 1 ? FirstPause : Backoff(failures);
            Log.Lost(logger, _problem, pause.TotalMilliseconds);
            try
            {
                await Task.Delay(pause, time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private TimeSpan Backoff(int failures)
    {
        double chance;
        lock (random)
            chance = random.NextDouble();
        return TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 16))) * (0.5 + (chance / 2)));
    }

    private async Task RunOnceAsync()
    {
        using var life = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var ended = Watch(life.Token);
        var serving = ServeAsync(life.Token);
        try
        {
            await await Task.WhenAny(ended, serving);
        }
        finally
        {
            await life.CancelAsync();
            await Task.WhenAll(Quietly(ended), Quietly(serving));
        }
    }

    // Completes (with an exception) when the process has ended.
    private Task Watch(CancellationToken cancellationToken)
    {
        if (ContainerdProcess.Find(_paths.Config) is { } running)
        {
            Log.Found(logger, running);
            return EndAsync(running, cancellationToken);
        }
        TrimLog();
        if (File.Exists(_paths.Socket))
            File.Delete(_paths.Socket);
        var pid = ContainerdProcess.Start(options, machine);
        Log.Started(logger, pid);
        return EndAsync(pid, cancellationToken);
    }

    private async Task EndAsync(int pid, CancellationToken cancellationToken)
    {
        var pidfd = Libc.PidfdOpen(pid);
        if (pidfd >= 0)
        {
            try
            {
                await loop.WaitReadableAsync(pidfd, cancellationToken);
            }
            finally
            {
                _ = Libc.close(pidfd);
            }
        }
        var exit = TryReap(pid);
        throw new IOException($"containerd (process {pid}) has ended{(exit is null ? "" : $" with {exit}")}{Tail()}");
    }

    // One that an earlier run of the agent started is not our child.
    private static int? TryReap(int pid)
    {
        try
        {
            return Child.Reap(pid);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await client.VersionAsync(cancellationToken);
                break;
            }
            catch (GrpcException e)
            {
                _problem = e.Message;
                await Task.Delay(AskAgain, time, cancellationToken);
            }
        }

        await session(() =>
        {
            if (_up.TrySetResult())
                Log.Ready(logger);
        }, cancellationToken);
    }

    private static async Task Quietly(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e) when (e is IOException or GrpcException or OperationCanceledException or ObjectDisposedException)
        {
            // It was told to end; the first to end has said why.
        }
    }

    private void TrimLog()
    {
        const long Max = 10 * 1024 * 1024;
        var log = new FileInfo(_paths.Log);
        if (log.Exists && log.Length > Max)
            log.Delete();
    }

    private string Tail()
    {
        const int Length = 600;
        if (!File.Exists(_paths.Log))
            return "";
        using var file = new FileStream(_paths.Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(-Math.Min(Length, file.Length), SeekOrigin.End);
        var text = new StreamReader(file).ReadToEnd().Trim();
        return text.Length == 0 ? "" : ": " + text[(text.LastIndexOf('\n') + 1)..];
    }

    private static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets go of containerd, which runs on.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "containerd started (process {Pid})", EventName = nameof(Started))]
        public static partial void Started(ILogger logger, int pid);

        [LoggerMessage(LogLevel.Information, "containerd of an earlier run found (process {Pid})", EventName = nameof(Found))]
        public static partial void Found(ILogger logger, int pid);

        [LoggerMessage(LogLevel.Information, "containerd answers; what it runs is known", EventName = nameof(Ready))]
        public static partial void Ready(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "containerd is lost and looked for again in {Milliseconds:F0} ms: {Problem}", EventName = nameof(Lost))]
        public static partial void Lost(ILogger logger, string problem, double milliseconds);
    }
}
