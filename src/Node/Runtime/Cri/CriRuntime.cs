using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Api.Streams;
using Weft.Grpc;
using Weft.Node.Interop;
using Weft.Node.Runtime.Cri.Wire;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Runtime.Cri;

/// <summary>
/// Pods whose containers are made of images, by a containerd of this node's own. containerd and its shims outlive this program; what it runs is
/// found again by annotations. Where the machine lacks containerd, every call says so and nothing else is affected.
/// </summary>
internal sealed partial class CriRuntime : IPodRuntime, IAsyncDisposable
{
    private readonly CriRuntimeOptions _options;
    private readonly CriPaths _paths;
    private readonly ContainerMachine _machine;
    private readonly string? _missing;
    private readonly bool _startsEmpty;
    private readonly GrpcChannel _channel;
    private readonly CriClient _client;
    private readonly CriState _state;
    private readonly EventLoop _loop = new();
    private readonly PodEvents _events = new();
    private readonly ContainerdSupervisor _supervisor;
    private readonly CriExec _exec;
    private readonly CriAttach _attach;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _starts;
    private int _synced;
    private int _disposed;

    private CriRuntime(CriRuntimeOptions options, ContainerMachine machine, string? missing, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        (_options, _machine, _missing, _time) = (options, machine, missing, time);
        _paths = new(options);
        _logger = loggers.CreateLogger<CriRuntime>();
        _starts = new(options.ParallelStarts);
        _startsEmpty = !Directory.Exists(Path.Combine(_paths.Root, "io.containerd.metadata.v1.bolt"));
        _channel = GrpcChannel.OnUnixSocket(_paths.Socket, time);
        _client = new(_channel);
        _state = new(_client);
        var events = new CriEvents(_client, _state, _events, time, loggers.CreateLogger<CriEvents>());
        _supervisor = new(options, machine, _client, _loop, events.RunAsync, time, random, loggers.CreateLogger<ContainerdSupervisor>());
        _exec = new(_client, _loop, _paths, WaitReadyAsync, time, random);
        _attach = new(_client);
        Images = new CriImages(_client, WaitReadyAsync, _paths);
    }

    public string Name => "containerd";
    public ChannelReader<string> Events => _events;
    public IImages Images { get; }

    /// <summary>Writes containerd's files and returns at once; containerd starts (or is found) meanwhile. The first call that needs it waits for it.</summary>
    /// <exception cref="IOException">A directory or file could not be made.</exception>
    public static async Task<CriRuntime> StartAsync(CriRuntimeOptions options, TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var machine = ContainerMachine.Read(options);
        var runtime = new CriRuntime(options, machine, ContainerdFiles.Missing(options), time, random, loggers);
        if (runtime._missing is { } missing)
        {
            Log.Missing(runtime._logger, missing);
            return runtime;
        }
        if (ContainerdFiles.Write(options, machine) && ContainerdProcess.Find(runtime._paths.Config) is { } old)
            await runtime.EndOldAsync(old, cancellationToken);   // started with other settings; pods live on
        runtime._supervisor.Start();
        return runtime;
    }

    /// <summary>The same as the node agent takes it: with its images, when containerd answers and what it runs is known.</summary>
    /// <exception cref="RuntimeException">What the machine lacks, or why containerd does not answer.</exception>
    public static async Task<ImageRuntime> StartImagesAsync(CriRuntimeOptions options, TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (ContainerdFiles.Missing(options) is { } missing)
            throw new RuntimeException(RuntimeError.Sandbox, missing);
        var runtime = await StartAsync(options, time, random, loggers, cancellationToken);
        try
        {
            await runtime.WaitReadyAsync(cancellationToken);
            return new ImageRuntime(runtime, runtime.Images, options.Handlers, runtime);
        }
        catch
        {
            await runtime.DisposeAsync();
            throw;
        }
    }

    private async Task EndOldAsync(int pid, CancellationToken cancellationToken)
    {
        Log.Restarting(_logger, pid);
        var pidfd = Libc.PidfdOpen(pid);
        if (pidfd < 0)
            return;
        try
        {
            _ = Libc.PidfdSendSignal(pidfd, Libc.SigTerm);
            await _loop.WaitReadableAsync(pidfd, cancellationToken).WaitAsync(TimeSpan.FromSeconds(10), _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            _ = Libc.PidfdSendSignal(pidfd, Libc.SigKill);
        }
        finally
        {
            _ = Libc.close(pidfd);
        }
    }

    private Task WaitReadyAsync(CancellationToken cancellationToken) =>
        _missing is { } missing ? throw new RuntimeException(RuntimeError.Sandbox, missing) : _supervisor.WaitReadyAsync(cancellationToken);

    /// <summary>From memory. Only the first call of a node that has run containers before waits for containerd, since they may run still.</summary>
    public async Task<RuntimeSnapshot> ListAsync(CancellationToken cancellationToken)
    {
        if (_missing is null && !_startsEmpty && Volatile.Read(ref _synced) == 0)
        {
            await WaitReadyAsync(cancellationToken);
            Volatile.Write(ref _synced, 1);
        }
        return _state.Snapshot();
    }

    public async Task<SandboxInfo> CreateSandboxAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        await _starts.WaitAsync(cancellationToken);
        try
        {
            await WaitReadyAsync(cancellationToken);
            var from = _time.GetTimestamp();
            var config = CriMapping.Sandbox(spec, _paths.CgroupParent);
            // Of an attempt that was cut off (a kill of containerd or of this program) something may be left under the same name.
            if (_state.Snapshot().Sandboxes.All(s => s.Spec.PodUid != spec.PodUid))
                await RemoveLeftoversAsync(spec, cancellationToken);
            try
            {
                var id = (await _client.RunPodSandboxAsync(config, spec.RuntimeHandler, cancellationToken)).PodSandboxId;
                var info = await _state.RefreshSandboxAsync(id, cancellationToken) ?? throw new RuntimeException(RuntimeError.Sandbox, $"sandbox {id} has gone as soon as it was made");
                Log.Sandbox(_logger, spec.Namespace, spec.Name, _time.GetElapsedTime(from).TotalMilliseconds);
                return info;
            }
            catch (Exception e) when (e is GrpcException or OperationCanceledException)
            {
                await TryRemoveLeftoversAsync(spec);
                if (e is OperationCanceledException)
                    throw;
                throw new RuntimeException(RuntimeError.Sandbox, e.Message, e);
            }
        }
        finally
        {
            _starts.Release();
        }
    }

    private async Task RemoveLeftoversAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        var labels = new Dictionary<string, string> { [CriMapping.UidLabel] = spec.PodUid };
        foreach (var left in (await RetryAsync(() => _client.ListPodSandboxAsync(labels, cancellationToken), cancellationToken)).Items.Where(s => s.Metadata.Attempt == (uint)spec.Attempt))
            await RemoveSandboxAsync(left.Id, cancellationToken);
    }

    private async Task TryRemoveLeftoversAsync(SandboxSpec spec)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20), _time);
        try
        {
            await RemoveLeftoversAsync(spec, patience.Token);
        }
        catch (Exception e) when (e is RuntimeException or OperationCanceledException)
        {
            Log.Leftovers(_logger, spec.Namespace, spec.Name, e);   // found again by the next attempt
        }
    }

    public async Task StopSandboxAsync(string sandboxId, CancellationToken cancellationToken)
    {
        var sandbox = _state.Sandbox(sandboxId);
        if (sandbox is not null)
            ProcessMachine.LiftCpuLimit(CgroupOf(sandbox.Spec.PodUid));
        await AwayAsync(() => _client.StopPodSandboxAsync(sandboxId, cancellationToken), cancellationToken);
        if (sandbox is null)
            return;
        foreach (var container in _state.ContainersOf(sandboxId))
            await RetryAsync(() => _state.RefreshAsync(container.Id, sandboxId, cancellationToken), cancellationToken);
        await RetryAsync(() => _state.RefreshSandboxAsync(sandboxId, cancellationToken), cancellationToken);
        ProcessMachine.RemoveCgroup(CgroupOf(sandbox.Spec.PodUid));
    }

    public async Task RemoveSandboxAsync(string sandboxId, CancellationToken cancellationToken)
    {
        await StopSandboxAsync(sandboxId, cancellationToken);
        await AwayAsync(() => _client.RemovePodSandboxAsync(sandboxId, cancellationToken), cancellationToken);
        _state.ForgetSandbox(sandboxId);
    }

    public async Task<ContainerInfo> CreateContainerAsync(string sandboxId, ContainerSpec spec, CancellationToken cancellationToken)
    {
        var sandbox = _state.Sandbox(sandboxId) ?? throw new RuntimeException(RuntimeError.NotFound, $"no sandbox {sandboxId}");
        if (spec.ImageId is not { Length: > 0 } image)
            throw new RuntimeException(RuntimeError.Create, $"container '{spec.Name}' has no image");
        await WaitReadyAsync(cancellationToken);
        Directory.CreateDirectory(Path.GetDirectoryName(spec.LogPath)!);
        try
        {
            var config = CriMapping.Container(sandbox.Spec, spec, image, await IdentityAsync(spec, image, cancellationToken), _machine.CanLowerOomScore ? -1000 : _machine.OwnOomScore);
            var pod = CriMapping.WithPrivilege(CriMapping.Sandbox(sandbox.Spec, _paths.CgroupParent), spec.Privileged);
            if (spec.Limits.Pids is { } pids)
                PodCgroup.LimitPids(CgroupOf(sandbox.Spec.PodUid), pids);
            var id = (await _client.CreateContainerAsync(sandboxId, config, pod, cancellationToken)).ContainerId;
            return await _state.RefreshAsync(id, sandboxId, cancellationToken) ?? throw new RuntimeException(RuntimeError.Create, $"container {id} has gone as soon as it was made");
        }
        catch (GrpcException e)
        {
            throw new RuntimeException(RuntimeError.Create, e.Message, e);
        }
    }

    // CRI takes a group only together with a user: where the pod names the group alone, the user is the image's.
    private async Task<(uint? Uid, string? UserName, uint? Gid)> IdentityAsync(ContainerSpec spec, string image, CancellationToken cancellationToken)
    {
        if (spec.User is not { Uid: null, Gid: { } gid })
            return (spec.User.Uid, null, spec.User.Gid);
        var info = await Images.FindAsync(image, cancellationToken);
        return info is { UserName: { } name } ? (null, name, gid) : ((uint)(info?.Uid ?? 0), null, gid);
    }

    public async Task<ContainerInfo> StartContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        var container = Find(containerId);
        await _starts.WaitAsync(cancellationToken);
        try
        {
            await WaitReadyAsync(cancellationToken);
            var from = _time.GetTimestamp();
            await _client.StartContainerAsync(containerId, cancellationToken);
            Log.Started(_logger, container.Name, containerId, _time.GetElapsedTime(from).TotalMilliseconds);
        }
        catch (GrpcException e)
        {
            // It has ended with 128 and StartError, as CRI says. When containerd itself ended meanwhile, it runs, or is still to be started: then it is made anew.
            var now = await RetryAsync(() => _state.RefreshAsync(containerId, container.SandboxId, cancellationToken), cancellationToken);
            if (now is { State: RunState.Running })
                return now;
            if (now is { State: RunState.Created })
                await AwayAsync(() => DiscardAsync(containerId, cancellationToken), cancellationToken);
            throw new RuntimeException(e.Status == GrpcStatus.NotFound ? RuntimeError.NotFound : RuntimeError.Start, e.Message, e);
        }
        finally
        {
            _starts.Release();
        }
        return await RetryAsync(() => _state.RefreshAsync(containerId, container.SandboxId, cancellationToken), cancellationToken) ?? container;
    }

    public async Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (_state.Container(containerId) is not { } container || container.State == RunState.Exited)
            return;
        if (container.State == RunState.Created)
        {
            await AwayAsync(() => DiscardAsync(containerId, cancellationToken), cancellationToken);
            return;
        }
        var from = _time.GetTimestamp();
        var signal = _state.StopSignal(containerId);
        if (grace > TimeSpan.Zero && signal != Libc.SigTerm)
        {
            // The pod names a signal, which CRI cannot be told: sent here, and CRI does the rest.
            await SignalAsync(containerId, signal, cancellationToken);
            await WaitEndAsync(containerId, grace, cancellationToken);
            if (_state.Container(containerId) is not { State: RunState.Running })
                return;
            grace = TimeSpan.Zero;
        }

        var seconds = (long)Math.Ceiling(grace.TotalSeconds);
        if (seconds == 0)
            ProcessMachine.LiftCpuLimit(CgroupOf(container.PodUid));
        // After a restart of containerd the grace that is left counts.
        var stopping = AwayAsync(
            () => _client.StopContainerAsync(containerId, Math.Max(0, seconds - (long)_time.GetElapsedTime(from).TotalSeconds), cancellationToken), cancellationToken);
        if (await Task.WhenAny(stopping, Task.Delay(grace + TimeSpan.FromSeconds(1), _time, cancellationToken)) != stopping)
            ProcessMachine.LiftCpuLimit(CgroupOf(container.PodUid));   // killed processes need processor time to die
        await stopping;
        await RetryAsync(() => _state.RefreshAsync(containerId, container.SandboxId, cancellationToken), cancellationToken);
    }

    private async Task SignalAsync(string containerId, int signal, CancellationToken cancellationToken)
    {
        try
        {
            await _client.KillAsync(containerId, "", signal, cancellationToken);
        }
        catch (GrpcException)
        {
            // It has ended meanwhile, or containerd is away: the stop that follows settles it.
        }
    }

    private async Task WaitEndAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(grace, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await _client.WaitAsync(containerId, "", either.Token);
            while (_state.Container(containerId) is { State: RunState.Running })   // until CRI has noted it
                await Task.Delay(TimeSpan.FromMilliseconds(5), _time, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It did not heed the signal in its time.
        }
        catch (GrpcException)
        {
            // Gone already, or containerd is away.
        }
    }

    public async Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        await AwayAsync(() => _client.RemoveContainerAsync(containerId, cancellationToken), cancellationToken);
        _state.Forget(containerId);
    }

    public async Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken)
    {
        if (command.Count == 0)
            throw new RuntimeException(RuntimeError.Start, "no command given");
        Running(containerId);
        await WaitReadyAsync(cancellationToken);
        return await _exec.RunAsync(containerId, command, streams, cancellationToken);
    }

    public async Task AttachAsync(string containerId, ContainerStreams streams, CancellationToken cancellationToken)
    {
        var container = Running(containerId);
        await WaitReadyAsync(cancellationToken);
        await _attach.RunAsync(container, streams, cancellationToken);
    }

    public async Task<Stream> ConnectAsync(string sandboxId, int port, CancellationToken cancellationToken)
    {
        var sandbox = _state.Sandbox(sandboxId) ?? throw new RuntimeException(RuntimeError.NotFound, $"no sandbox {sandboxId}");
        if (sandbox.Spec.HostNetwork)
            return await PodConnector.ConnectAsync(null, port);
        var status = await RetryAsync(() => _client.PodSandboxStatusAsync(sandboxId, verbose: true, cancellationToken), cancellationToken);
        // containerd's own additions: the sandbox's first process, whose network namespace is the pod's.
        var pid = status.Info.TryGetValue("info", out var info) ? (int?)JsonNode.Parse(info)?["pid"] ?? 0 : 0;
        if (pid <= 0)
            throw new RuntimeException(RuntimeError.Connect, $"cannot connect to port {port}: the pod's sandbox does not run");
        try
        {
            return await PodConnector.ConnectAsync($"/proc/{pid}/ns/net", port);
        }
        catch (IOException e)
        {
            throw new RuntimeException(RuntimeError.Connect, $"cannot connect to port {port} in the pod: {e.Message}", e);
        }
    }

    public async Task<long> WrittenBytesAsync(string containerId, CancellationToken cancellationToken) =>
        (long)((await RetryAsync(() => _client.ContainerStatsAsync(containerId, cancellationToken), cancellationToken)).Stats?.WritableLayer?.UsedBytes?.Value ?? 0);

    public Task ReopenLogAsync(string containerId, CancellationToken cancellationToken) =>
        RetryAsync(() => _client.ReopenContainerLogAsync(containerId, cancellationToken), cancellationToken);

    private ContainerInfo Find(string id) => _state.Container(id) ?? throw new RuntimeException(RuntimeError.NotFound, $"no container {id}");

    private ContainerInfo Running(string id) =>
        Find(id) is { State: RunState.Running } container ? container : throw new RuntimeException(RuntimeError.NotRunning, $"container '{Find(id).Name}' does not run");

    private string CgroupOf(string podUid) => $"{_paths.CgroupParent}/pod{podUid}";

    private async Task<bool> DiscardAsync(string containerId, CancellationToken cancellationToken)
    {
        await _state.DiscardAsync(containerId, cancellationToken);
        return true;
    }

    /// <summary>For calls that take something away: what is not there is fine.</summary>
    private async Task AwayAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            await RetryAsync(call, cancellationToken);
        }
        catch (RuntimeException e) when (e.Error == RuntimeError.NotFound)
        {
            // Gone already.
        }
    }

    /// <summary>For calls that may be made twice: waits for a containerd that is starting anew.</summary>
    private async Task<T> RetryAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        const int Most = 6;
        for (var attempt = 1; ; attempt++)
        {
            await WaitReadyAsync(cancellationToken);
            try
            {
                return await call();
            }
            catch (GrpcException e) when (e.Status == GrpcStatus.Unavailable && attempt < Most)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50 << attempt), _time, cancellationToken);
            }
            catch (GrpcException e)
            {
                throw new RuntimeException(e.Status == GrpcStatus.NotFound ? RuntimeError.NotFound : RuntimeError.Sandbox, e.Message, e);
            }
        }
    }

    /// <summary>Lets go of containerd and its pods, which run on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _supervisor.DisposeAsync();
        _events.Complete();
        _channel.Dispose();
        _loop.Dispose();
        _starts.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Pods of images cannot run on this node: {Missing}", EventName = nameof(Missing))]
        public static partial void Missing(ILogger logger, string missing);

        [LoggerMessage(LogLevel.Information, "containerd (process {Pid}) has other settings than now wanted and is started anew", EventName = nameof(Restarting))]
        public static partial void Restarting(ILogger logger, int pid);

        [LoggerMessage(LogLevel.Debug, "Sandbox of {Namespace}/{Pod} ready in {Milliseconds:F1} ms", EventName = nameof(Sandbox))]
        public static partial void Sandbox(ILogger logger, string @namespace, string pod, double milliseconds);

        [LoggerMessage(LogLevel.Debug, "Container {Container} ({Id}) started in {Milliseconds:F1} ms", EventName = nameof(Started))]
        public static partial void Started(ILogger logger, string container, string id, double milliseconds);

        [LoggerMessage(LogLevel.Warning, "Something of the sandbox of {Namespace}/{Pod} may be left", EventName = nameof(Leftovers))]
        public static partial void Leftovers(ILogger logger, string @namespace, string pod, Exception error);
    }
}
