using System.Collections.Concurrent;
using Weft.Grpc;
using Weft.Node.Runtime.Cri.Wire;

namespace Weft.Node.Runtime.Cri;

/// <summary>What containerd runs, in memory: asked for once when it answers, and then moved on by our own calls and by its events.</summary>
internal sealed class CriState(CriClient client)
{
    private const int AtOnce = 16;

    private readonly ConcurrentDictionary<string, SandboxInfo> _sandboxes = new();
    private readonly ConcurrentDictionary<string, ContainerInfo> _containers = new();
    private readonly ConcurrentDictionary<string, int> _stopSignals = new();

    public RuntimeSnapshot Snapshot() => new([.. _sandboxes.Values], [.. _containers.Values]);

    public SandboxInfo? Sandbox(string id) => _sandboxes.GetValueOrDefault(id);

    public ContainerInfo? Container(string id) => _containers.GetValueOrDefault(id);

    public IReadOnlyList<ContainerInfo> ContainersOf(string sandboxId) => [.. _containers.Values.Where(c => c.SandboxId == sandboxId)];

    public int StopSignal(string containerId) => _stopSignals.GetValueOrDefault(containerId, 15);

    /// <summary>Everything anew. Also finds what ended while nobody listened.</summary>
    /// <returns>Uids of pods of which something has changed.</returns>
    public async Task<IReadOnlySet<string>> ReloadAsync(CancellationToken cancellationToken)
    {
        var changed = new ConcurrentDictionary<string, byte>();
        // Taken first: what is made while we ask is not in the answer, and is not gone either.
        var (knownSandboxes, knownContainers) = (_sandboxes.Keys.ToList(), _containers.Keys.ToList());
        var sandboxes = (await client.ListPodSandboxAsync(new Dictionary<string, string>(), cancellationToken)).Items.ToDictionary(s => s.Id);
        var containers = (await client.ListContainersAsync(cancellationToken)).Containers.ToDictionary(c => c.Id);
        foreach (var id in knownSandboxes.Where(id => !sandboxes.ContainsKey(id)))
        {
            if (_sandboxes.TryRemove(id, out var gone))
                changed[gone.Spec.PodUid] = 0;
        }
        foreach (var id in knownContainers.Where(id => !containers.ContainsKey(id)))
        {
            if (Forget(id) is { } gone)
                changed[gone.PodUid] = 0;
        }

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(sandboxes.Keys, parallel, async (id, token) => Note((await SandboxAsync(id, token))?.Spec.PodUid));
        await Parallel.ForEachAsync(containers.Values.Where(c => Container(c.Id) is not { State: RunState.Exited }), parallel, async (container, token) =>
        {
            var before = Container(container.Id)?.State;
            if (await RefreshAsync(container.Id, container.PodSandboxId, token) is not { } now)
                return;
            // Made but never started, by a call that was cut off: it is made anew.
            if (now.State == RunState.Created)
                await DiscardAsync(now.Id, token);
            if (now.State != before)
                changed[now.PodUid] = 0;
        });
        return changed.Keys.ToHashSet();

        async Task<SandboxInfo?> SandboxAsync(string id, CancellationToken token)
        {
            var before = Sandbox(id);
            var now = await RefreshSandboxAsync(id, token);
            return now is not null && before?.Ready != now.Ready ? now : null;
        }

        void Note(string? uid)
        {
            if (uid is not null)
                changed[uid] = 0;
        }
    }

    /// <summary>Null when it is gone, or is not one of ours.</summary>
    public async Task<SandboxInfo?> RefreshSandboxAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            var status = (await client.PodSandboxStatusAsync(id, verbose: false, cancellationToken)).Status;
            if (CriMapping.Sandbox(id, status.State, status.CreatedAt, status.Annotations, status.Network) is not { } info)
                return null;
            // A stopped sandbox has lost its addresses; what the pod's status said of them stays true for its past.
            return _sandboxes.AddOrUpdate(id, info, (_, old) => info.Ips.Count == 0 && old.Ips.Count > 0 ? info with { Ips = old.Ips } : info);
        }
        catch (GrpcException e) when (e.Status == GrpcStatus.NotFound)
        {
            _sandboxes.TryRemove(id, out _);
            return null;
        }
    }

    /// <summary>Null when it is gone, or is not one of ours.</summary>
    public async Task<ContainerInfo?> RefreshAsync(string id, string sandboxId, CancellationToken cancellationToken)
    {
        try
        {
            var status = (await client.ContainerStatusAsync(id, cancellationToken)).Status;
            if (CriMapping.Container(sandboxId, status) is not { } info)
                return null;
            if (CriMapping.Stored(status) is { } stored)
                _stopSignals[id] = stored.StopSignal;
            // Two answers may come in the wrong order: a container never goes back.
            return _containers.AddOrUpdate(id, info, (_, old) => old.State > info.State ? old : info);
        }
        catch (GrpcException e) when (e.Status == GrpcStatus.NotFound)
        {
            Forget(id);
            return null;
        }
    }

    /// <summary>Removes a container that does not run.</summary>
    public async Task DiscardAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            await client.RemoveContainerAsync(id, cancellationToken);
        }
        catch (GrpcException e) when (e.Status == GrpcStatus.NotFound)
        {
            // Gone already.
        }
        Forget(id);
    }

    public ContainerInfo? Forget(string containerId)
    {
        _stopSignals.TryRemove(containerId, out _);
        return _containers.TryRemove(containerId, out var gone) ? gone : null;
    }

    public void ForgetSandbox(string id)
    {
        _sandboxes.TryRemove(id, out _);
        foreach (var container in ContainersOf(id))
            Forget(container.Id);
    }
}
