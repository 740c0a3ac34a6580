using System.Collections.Concurrent;
using System.Threading.Channels;
using Weft.Api.Streams;
using Weft.Node.Runtime;

namespace Weft.Node.Tests.Images;

/// <summary>Containers at the seam: they run until they are stopped. What this object holds outlives the agent, as containerd does.</summary>
internal sealed class FakeContainers : IPodRuntime
{
    private readonly ConcurrentDictionary<string, SandboxInfo> _sandboxes = new();
    private readonly ConcurrentDictionary<string, ContainerInfo> _containers = new();
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();
    private int _ids;

    public ConcurrentDictionary<string, ContainerSpec> Specs { get; } = new();   // by container name

    public string Name => "containerd";
    public ChannelReader<string> Events => _events.Reader;

    public ImageRuntime With(IImages images) => new(this, images, new HashSet<string> { "" });

    public Task<RuntimeSnapshot> ListAsync(CancellationToken cancellationToken) => Task.FromResult(new RuntimeSnapshot([.. _sandboxes.Values], [.. _containers.Values]));

    public Task<SandboxInfo> CreateSandboxAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        var id = $"s{Interlocked.Increment(ref _ids)}";
        return Task.FromResult(_sandboxes[id] = new SandboxInfo { Id = id, Spec = spec, CreatedAt = TimeProvider.System.GetUtcNow(), Ips = ["192.0.2.77"] });
    }

    public async Task StopSandboxAsync(string sandboxId, CancellationToken cancellationToken)
    {
        foreach (var container in _containers.Values.Where(c => c.SandboxId == sandboxId))
            await StopContainerAsync(container.Id, TimeSpan.Zero, cancellationToken);
        if (_sandboxes.TryGetValue(sandboxId, out var sandbox))
            _sandboxes[sandboxId] = sandbox with { Ready = false };
    }

    public Task RemoveSandboxAsync(string sandboxId, CancellationToken cancellationToken)
    {
        foreach (var container in _containers.Values.Where(c => c.SandboxId == sandboxId))
            _containers.TryRemove(container.Id, out _);
        _sandboxes.TryRemove(sandboxId, out _);
        return Task.CompletedTask;
    }

    public Task<ContainerInfo> CreateContainerAsync(string sandboxId, ContainerSpec spec, CancellationToken cancellationToken)
    {
        var id = $"c{Interlocked.Increment(ref _ids)}";
        Specs[spec.Name] = spec;
        return Task.FromResult(_containers[id] = new ContainerInfo
        {
            Id = id, SandboxId = sandboxId, PodUid = _sandboxes[sandboxId].Spec.PodUid, Name = spec.Name, Attempt = spec.Attempt, SpecHash = spec.SpecHash,
            LogPath = spec.LogPath, State = RunState.Created, CreatedAt = TimeProvider.System.GetUtcNow(), TerminationMessageFile = spec.TerminationMessageFile,
        });
    }

    public Task<ContainerInfo> StartContainerAsync(string containerId, CancellationToken cancellationToken) =>
        Task.FromResult(_containers[containerId] = _containers[containerId] with { State = RunState.Running, StartedAt = TimeProvider.System.GetUtcNow() });

    public Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (_containers.TryGetValue(containerId, out var container) && container.State != RunState.Exited)
            End(containerId, 143);
        return Task.CompletedTask;
    }

    public void End(string containerId, int exitCode)
    {
        var ended = _containers[containerId] = _containers[containerId] with { State = RunState.Exited, ExitCode = exitCode, Reason = "Error", FinishedAt = TimeProvider.System.GetUtcNow() };
        _events.Writer.TryWrite(ended.PodUid);
    }

    public Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken)
    {
        _containers.TryRemove(containerId, out _);
        return Task.CompletedTask;
    }

    public Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken) => Task.FromResult(0);

    public Task AttachAsync(string containerId, ContainerStreams streams, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<Stream> ConnectAsync(string sandboxId, int port, CancellationToken cancellationToken) => Task.FromResult(Stream.Null);

    public Task ReopenLogAsync(string containerId, CancellationToken cancellationToken) => Task.CompletedTask;
}
