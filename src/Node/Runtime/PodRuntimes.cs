using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Api.Streams;

namespace Weft.Node.Runtime;

/// <summary>
/// The runtimes of a node as one: a sandbox goes to the runtime of its handler, everything else to the one whose name its id carries. The runtime
/// of images starts in the background and may be missing; what only needs commands of this machine goes on without it.
/// </summary>
internal sealed partial class PodRuntimes : IPodRuntime, IAsyncDisposable
{
    /// <summary>The handler of process pods.</summary>
    public const string ProcessHandler = "process";

    // Somebody may install what was missing; a start that fails costs a few milliseconds.
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);

    private readonly NamedRuntime _process;
    private readonly Func<CancellationToken, Task<ImageRuntime>>? _start;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();   // as the runtimes' own: uids, one reader that only queues keys
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private IAsyncDisposable? _owned;
    private ImageRuntimeState _images;

    /// <param name="startImages">Null: this node runs no images.</param>
    public PodRuntimes(IPodRuntime process, Func<CancellationToken, Task<ImageRuntime>>? startImages, TimeProvider time, ILogger<PodRuntimes> logger)
    {
        (_process, _start, _time, _logger) = (new(process), startImages, time, logger);
        _images = startImages is null ? new ImageRuntimeState.Failed("this node has no container runtime, so it cannot run images") : new ImageRuntimeState.Starting();
    }

    public string Name => "weft";
    public ChannelReader<string> Events => _events.Reader;
    public NamedRuntime Process => _process;
    public ImageRuntimeState Images => Volatile.Read(ref _images);

    /// <param name="changed">The state of the image runtime is another now.</param>
    public void Start(Func<ImageRuntimeState, Task> changed)
    {
        _loops.Add(PumpAsync(_process));
        if (_start is not null)
            _loops.Add(Task.Run(() => StartImagesAsync(_start, changed)));
    }

    private async Task StartImagesAsync(Func<CancellationToken, Task<ImageRuntime>> start, Func<ImageRuntimeState, Task> changed)
    {
        try
        {
            while (true)
            {
                try
                {
                    var started = await start(_stop.Token);
                    _owned = started.Owned;
                    var named = new NamedRuntime(started.Runtime);
                    Volatile.Write(ref _images, new ImageRuntimeState.Ready(named, started.Images, started.Handlers));
                    lock (_loops)
                        _loops.Add(PumpAsync(named));
                    await changed(Images);
                    return;
                }
                catch (Exception e) when (e is RuntimeException or IOException or UnauthorizedAccessException or HttpRequestException or TimeoutException)
                {
                    if (Images is not ImageRuntimeState.Failed told || told.Message != e.Message)
                    {
                        Log.NoImages(_logger, e.Message);
                        Volatile.Write(ref _images, new ImageRuntimeState.Failed(e.Message));
                        await changed(Images);
                    }
                }
                await Task.Delay(Retry, _time, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent stops.
        }
    }

    private async Task PumpAsync(NamedRuntime runtime)
    {
        try
        {
            await foreach (var uid in runtime.Events.ReadAllAsync(_stop.Token))
                _events.Writer.TryWrite(uid);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent stops.
        }
    }

    public async Task<RuntimeSnapshot> ListAsync(CancellationToken cancellationToken)
    {
        var processes = await _process.ListAsync(cancellationToken);
        if (Images is not ImageRuntimeState.Ready images)
            return processes;
        var containers = await images.Runtime.ListAsync(cancellationToken);
        return new([.. processes.Sandboxes, .. containers.Sandboxes], [.. processes.Containers, .. containers.Containers]);
    }

    public Task<SandboxInfo> CreateSandboxAsync(SandboxSpec spec, CancellationToken cancellationToken) =>
        (spec.RuntimeHandler == ProcessHandler ? _process : ReadyImages().Runtime).CreateSandboxAsync(spec, cancellationToken);

    public Task StopSandboxAsync(string sandboxId, CancellationToken cancellationToken) => Of(sandboxId).StopSandboxAsync(sandboxId, cancellationToken);

    public Task RemoveSandboxAsync(string sandboxId, CancellationToken cancellationToken) => Of(sandboxId).RemoveSandboxAsync(sandboxId, cancellationToken);

    public Task<ContainerInfo> CreateContainerAsync(string sandboxId, ContainerSpec spec, CancellationToken cancellationToken) => Of(sandboxId).CreateContainerAsync(sandboxId, spec, cancellationToken);

    public Task<ContainerInfo> StartContainerAsync(string containerId, CancellationToken cancellationToken) => Of(containerId).StartContainerAsync(containerId, cancellationToken);

    public Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken) => Of(containerId).StopContainerAsync(containerId, grace, cancellationToken);

    public Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken) => Of(containerId).RemoveContainerAsync(containerId, cancellationToken);

    public Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken) =>
        Of(containerId).ExecAsync(containerId, command, streams, cancellationToken);

    public Task AttachAsync(string containerId, ContainerStreams streams, CancellationToken cancellationToken) => Of(containerId).AttachAsync(containerId, streams, cancellationToken);

    public Task<Stream> ConnectAsync(string sandboxId, int port, CancellationToken cancellationToken) => Of(sandboxId).ConnectAsync(sandboxId, port, cancellationToken);

    public Task<long> WrittenBytesAsync(string containerId, CancellationToken cancellationToken) => Of(containerId).WrittenBytesAsync(containerId, cancellationToken);

    public Task ReopenLogAsync(string containerId, CancellationToken cancellationToken) => Of(containerId).ReopenLogAsync(containerId, cancellationToken);

    private NamedRuntime Of(string id) => _process.Owns(id) ? _process : ReadyImages().Runtime;

    private ImageRuntimeState.Ready ReadyImages() => Images switch
    {
        ImageRuntimeState.Ready ready => ready,
        ImageRuntimeState.Failed failed => throw new RuntimeException(RuntimeError.Sandbox, failed.Message),
        _ => throw new RuntimeException(RuntimeError.Sandbox, "the container runtime of this node is starting"),
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] loops;
        lock (_loops)
            loops = [.. _loops];
        await Task.WhenAll(loops);
        lock (_loops)
            loops = [.. _loops];   // the pump that the start of the image runtime added last
        await Task.WhenAll(loops);
        _events.Writer.TryComplete();
        if (_owned is not null)
            await _owned.DisposeAsync();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Pods of images cannot run here yet: {Cause}", EventName = nameof(NoImages))]
        public static partial void NoImages(ILogger logger, string cause);
    }
}
