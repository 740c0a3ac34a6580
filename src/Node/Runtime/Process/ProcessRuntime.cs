using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Api.Streams;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>
/// Pods whose containers are commands of this machine. conmon keeps each container's output, exit code and terminal, so that the agent may be
/// killed and come back; crun makes the container. All that is known about a container stands in its directory.
/// </summary>
internal sealed partial class ProcessRuntime : IPodRuntime, IAsyncDisposable
{
    private readonly ProcessRuntimeOptions _options;
    private readonly ProcessPaths _paths;
    private readonly Launcher _launcher;
    private readonly EventLoop _loop;
    private readonly Programs _programs;
    private readonly ProcessSandboxes _sandboxes;
    private readonly ProcessExec _exec;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, ContainerRecord> _containers = new();
    private readonly PodEvents _events = new();
    private readonly SemaphoreSlim _starts;
    private readonly int _ownOomScoreAdjust;

    private ProcessRuntime(ProcessRuntimeOptions options, Launcher launcher, EventLoop loop, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        _options = options;
        _paths = new(options);
        _launcher = launcher;
        _loop = loop;
        _time = time;
        _random = random;
        _logger = loggers.CreateLogger<ProcessRuntime>();
        _programs = new(options, launcher, loop);
        _sandboxes = new(options, time, loggers.CreateLogger<ProcessSandboxes>());
        _exec = new(_programs, loop);
        _starts = new(options.ParallelStarts);
        _ownOomScoreAdjust = int.TryParse(File.ReadAllText("/proc/self/oom_score_adj"), out var own) ? own : 0;
    }

    public string Name => "process";
    public ChannelReader<string> Events => _events;

    /// <summary>Prepares the machine (directories, mount namespace) and finds what an earlier run left.</summary>
    public static async Task<ProcessRuntime> StartAsync(ProcessRuntimeOptions options, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        foreach (var program in new[] { (options.Conmon, "conmon"), (options.Crun, "crun") })
        {
            if (!File.Exists(program.Item1))
                throw new RuntimeException(RuntimeError.Sandbox, $"{program.Item1} is missing: install the package '{program.Item2}' (apt-get install {program.Item2})");
        }

        var paths = new ProcessPaths(options);
        ProcessMachine.Prepare(paths);
        var launcher = await Launcher.StartAsync();
        var runtime = new ProcessRuntime(options, launcher, new EventLoop(), time, random, loggers);
        try
        {
            await runtime.AdoptAsync();
            return runtime;
        }
        catch
        {
            // Who waits for room on the disk tries again: threads and a mount namespace are not to be left each time.
            await runtime.DisposeAsync();
            throw;
        }
    }

    public Task<RuntimeSnapshot> ListAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new RuntimeSnapshot(_sandboxes.List(), [.. _containers.Values.Select(c => c.Info())]));

    public Task<SandboxInfo> CreateSandboxAsync(SandboxSpec spec, CancellationToken cancellationToken) => _sandboxes.CreateAsync(NewId(), spec, cancellationToken);

    public async Task StopSandboxAsync(string sandboxId, CancellationToken cancellationToken)
    {
        foreach (var container in _containers.Values.Where(c => c.Stored.SandboxId == sandboxId))
            await StopContainerAsync(container.Id, TimeSpan.Zero, cancellationToken);
        await _sandboxes.StopAsync(sandboxId, cancellationToken);
    }

    public async Task RemoveSandboxAsync(string sandboxId, CancellationToken cancellationToken)
    {
        foreach (var container in _containers.Values.Where(c => c.Stored.SandboxId == sandboxId))
        {
            await StopContainerAsync(container.Id, TimeSpan.Zero, cancellationToken);
            await RemoveContainerAsync(container.Id, cancellationToken);
        }
        await _sandboxes.RemoveAsync(sandboxId, cancellationToken);
    }

    public async Task<ContainerInfo> CreateContainerAsync(string sandboxId, ContainerSpec spec, CancellationToken cancellationToken)
    {
        var sandbox = _sandboxes.Find(sandboxId) ?? throw new RuntimeException(RuntimeError.NotFound, $"no sandbox {sandboxId}");
        if (spec.Command.Count == 0)
            throw new RuntimeException(RuntimeError.Create, "no command: a process pod runs a command of this machine, so set `command` on the container (its image is not used)");

        await _starts.WaitAsync(cancellationToken);
        try
        {
            var from = _time.GetTimestamp();
            var id = NewId();
            var directory = _paths.Container(id);
            Directory.CreateDirectory(directory, ProcessMachine.OwnerOnly);
            Directory.CreateDirectory(Path.GetDirectoryName(spec.LogPath)!);
            var record = new ContainerRecord(
                new StoredContainer { Id = id, SandboxId = sandboxId, PodUid = sandbox.Spec.PodUid, Spec = spec, CreatedAt = _time.GetUtcNow() }, directory, pid: 0);
            record.Update(c => c);
            try
            {
                IReadOnlyList<string> hidden = [_options.DataDir, _options.RunDir, .. _options.HiddenPaths];
                var root = Path.Combine(directory, "root");
                var temporary = _paths.Temporary(sandboxId, id);
                Directory.CreateDirectory(temporary);
                File.SetUnixFileMode(temporary, (UnixFileMode)0b001_111_111_111);   // 1777, as /tmp is
                var context = new BundleContext(
                    root, _paths.Sandbox(sandboxId), temporary, sandbox.Spec, $"{_paths.CgroupParent}/pod{sandbox.Spec.PodUid}/{id}", _ownOomScoreAdjust,
                    hidden, PathRules.VisibleTemporary(spec.Command, spec.WorkingDirectory, File.Exists, Directory.Exists), ContainerRoot.OtherDisks(Mounts.List(), hidden));
                await File.WriteAllTextAsync(Path.Combine(directory, "config.json"), Bundle.Config(spec, context).ToJsonString(), cancellationToken);
                if (!await _launcher.RunAsync(() => ContainerRoot.Mount(_paths.Scratch(sandboxId, id), root)))
                    Log.NoOverlay(_logger, spec.Name, id);
                try
                {
                    record.Pid = await _programs.CreateAsync(id, directory, spec, cancellationToken);
                }
                finally
                {
                    await _launcher.RunAsync(() => ContainerRoot.Unmount(root));
                }
            }
            catch (RuntimeException e) when (e.Error == RuntimeError.Create)
            {
                // The command cannot be run: as with containerd, that is an end of the container (128, StartError), not a fault of the node.
                record.Update(c => c with { FinishedAt = _time.GetUtcNow(), ExitCode = 128, Reason = "StartError", Message = e.Message });
                _containers[id] = record;
                throw;
            }
            catch (Exception e) when (e is RuntimeException or IOException or UnauthorizedAccessException or OperationCanceledException)
            {
                await DiscardAsync(record);
                if (e is RuntimeException or OperationCanceledException)
                    throw;
                throw new RuntimeException(RuntimeError.Create, e.Message, e);
            }

            _containers[id] = record;
            _ = WatchAsync(record, ReadPid(Path.Combine(directory, "conmon.pid")));
            Log.Created(_logger, spec.Name, id, _time.GetElapsedTime(from).TotalMilliseconds);
            return record.Info();
        }
        finally
        {
            _starts.Release();
        }
    }

    public async Task<ContainerInfo> StartContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        var record = Find(containerId);
        var from = _time.GetTimestamp();
        try
        {
            await _programs.CrunAsync(RuntimeError.Start, "start", containerId);
        }
        catch (RuntimeException e)
        {
            // 128 and StartError: what containerd reports for a command that could not be started.
            record.Update(c => c with { FinishedAt = _time.GetUtcNow(), ExitCode = 128, Reason = "StartError", Message = e.Message });
            throw;
        }
        record.Update(c => c with { StartedAt = _time.GetUtcNow() });
        Log.Started(_logger, record.Stored.Spec.Name, containerId, _time.GetElapsedTime(from).TotalMilliseconds);
        return record.Info();
    }

    public async Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (!_containers.TryGetValue(containerId, out var record) || record.Ended.IsCompleted)
            return;
        if (record.Stored.StartedAt is null)
        {
            await _programs.CrunOutputAsync("delete", "--force", containerId);
        }
        else if (grace > TimeSpan.Zero)
        {
            ProcessMachine.Signal(record, record.Stored.Spec.StopSignal);
            try
            {
                await record.Ended.WaitAsync(grace, _time, cancellationToken);
                return;
            }
            catch (TimeoutException)
            {
                // It did not heed the signal in its time.
            }
        }

        if (_sandboxes.Find(record.Stored.SandboxId) is { } pod)
            ProcessMachine.LiftCpuLimit($"{_paths.CgroupParent}/pod{pod.Spec.PodUid}/{record.Id}");
        ProcessMachine.Signal(record, Libc.SigKill);
        if (_sandboxes.Find(record.Stored.SandboxId)?.Spec.HostPid == true)
            await _programs.CrunOutputAsync("kill", "--all", containerId, "KILL");   // without a pid namespace its children live on
        await record.Ended.WaitAsync(cancellationToken);
    }

    public async Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        if (!_containers.TryGetValue(containerId, out var record))
            return;
        await DiscardAsync(record);
        _containers.TryRemove(containerId, out _);
    }

    private async Task DiscardAsync(ContainerRecord record)
    {
        await _programs.CrunOutputAsync("delete", "--force", record.Id);
        DirectoryRemoval.Delete(record.Directory, _paths.Scratch(record.Stored.SandboxId, record.Id), _paths.Temporary(record.Stored.SandboxId, record.Id));
        File.Delete(Path.Combine(_paths.Exits, record.Id));
    }

    public Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken) =>
        _exec.RunAsync(FindRunning(containerId), command, streams, NewId(), _ownOomScoreAdjust, cancellationToken);

    public Task AttachAsync(string containerId, ContainerStreams streams, CancellationToken cancellationToken) =>
        ConmonAttach.RunAsync(FindRunning(containerId), streams, cancellationToken);

    public Task<Stream> ConnectAsync(string sandboxId, int port, CancellationToken cancellationToken)
    {
        var sandbox = _sandboxes.Find(sandboxId) ?? throw new RuntimeException(RuntimeError.NotFound, $"no sandbox {sandboxId}");
        return PodConnector.ConnectAsync(sandbox.Spec.HostNetwork ? null : _paths.Netns(sandboxId), port);
    }

    public Task ReopenLogAsync(string containerId, CancellationToken cancellationToken) => ConmonControl.ReopenLogAsync(Find(containerId).Directory);

    private ContainerRecord Find(string id) => _containers.GetValueOrDefault(id) ?? throw new RuntimeException(RuntimeError.NotFound, $"no container {id}");

    private ContainerRecord FindRunning(string id)
    {
        var record = Find(id);
        if (record.Info().State != RunState.Running)
            throw new RuntimeException(RuntimeError.NotRunning, $"container '{record.Stored.Spec.Name}' is not running");
        return record;
    }

    private string NewId()
    {
        Span<byte> bytes = stackalloc byte[8];
        lock (_random)
            _random.NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static int ReadPid(string file) => File.Exists(file) && int.TryParse(File.ReadAllText(file), out var pid) ? pid : 0;

    public async ValueTask DisposeAsync()
    {
        _events.Complete();
        _launcher.Dispose();
        _loop.Dispose();
        _starts.Dispose();
        await Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Container {Container} created as {Id} in {Milliseconds:F1} ms", EventName = nameof(Created))]
        public static partial void Created(ILogger logger, string container, string id, double milliseconds);

        [LoggerMessage(LogLevel.Warning, "Overlayfs cannot stack on this machine's root: container {Container} {Id} gets it read only, so it can write to its volumes and /tmp only, and a mount point that does not exist on the machine cannot be made", EventName = nameof(NoOverlay))]
        public static partial void NoOverlay(ILogger logger, string container, string id);

        [LoggerMessage(LogLevel.Debug, "Container {Container} {Id} started in {Milliseconds:F1} ms", EventName = nameof(Started))]
        public static partial void Started(ILogger logger, string container, string id, double milliseconds);

        [LoggerMessage(LogLevel.Warning, "The end of container {Id} could not be observed", EventName = nameof(WatchFailed))]
        public static partial void WatchFailed(ILogger logger, string id, Exception error);

        [LoggerMessage(LogLevel.Information, "Found {Running} running and {Ended} ended containers of an earlier run", EventName = nameof(Adopted))]
        public static partial void Adopted(ILogger logger, int running, int ended);
    }
}
