using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Interop;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>A worker for each pod of this node, by uid: two lives of one name are two pods.</summary>
internal sealed partial class PodManager(PodServices services) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, PodWorker> _workers = new();
    private readonly ILogger _logger = services.Loggers.CreateLogger<PodManager>();
    private readonly CancellationTokenSource _stop = new();
    private IDisposable? _subscription;
    private Task _events = Task.CompletedTask;

    /// <summary>Takes over: first what runs here without an object, then every pod of the cache, then changes.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var known = services.Cache.All().Select(p => p.Metadata.Uid!).ToHashSet();
        await RemoveOrphansAsync(known, cancellationToken);
        _subscription = services.Cache.Subscribe(OnChange);
        _events = ForwardEventsAsync(_stop.Token);
    }

    /// <summary>As the workers know them, which may be later than the cache.</summary>
    public IEnumerable<Pod> Pods => _workers.Values.Select(w => w.Pod);

    public PodWorker? Find(string uid) => _workers.GetValueOrDefault(uid);

    public PodWorker? Find(ObjectKey key) => _workers.Values.FirstOrDefault(w => w.Pod.Metadata.Namespace == key.Namespace && w.Pod.Metadata.Name == key.Name);

    /// <summary>A ConfigMap or Secret changed: the volumes of pods that refer to it are brought up to date.</summary>
    public void OnReferenceChanged(ObjectKey key)
    {
        foreach (var worker in _workers.Values.Where(w => w.Pod.Metadata.Namespace == key.Namespace))
        {
            var (maps, secrets) = PodReferences.Of(worker.Pod);
            if (maps.Contains(key.Name) || secrets.Contains(key.Name))
                worker.RefreshVolumes();
        }
    }

    /// <summary>The image runtime came, or said what it lacks: pods that wait for it look again.</summary>
    public async Task OnImageRuntimeAsync(ImageRuntimeState state)
    {
        if (state is ImageRuntimeState.Ready ready)
            await RemoveOrphanSandboxesAsync(ready.Runtime, services.Cache.All().Select(p => p.Metadata.Uid!).Concat(_workers.Keys).ToHashSet(), _stop.Token);
        LookAgain();
    }

    /// <summary>Ends a pod because the node is short of something. False: it is not here any more.</summary>
    public bool Evict(string uid, string message)
    {
        if (_workers.GetValueOrDefault(uid) is not { } worker)
            return false;
        worker.End("Evicted", message, TimeSpan.Zero);
        return true;
    }

    /// <summary>What pods' runtimes are chosen by is another now.</summary>
    public void LookAgain()
    {
        foreach (var worker in _workers.Values)
            worker.Signal();
    }

    private void OnChange(Change<Pod> change)
    {
        var uid = change.Current.Metadata.Uid!;
        if (change.New is { } pod)
        {
            if (_workers.TryGetValue(uid, out var worker))
                worker.Update(pod);
            else
                _workers[uid] = new PodWorker(services, pod);
        }
        else if (_workers.TryGetValue(uid, out var worker))
        {
            worker.Gone();
            _ = ForgetAsync(uid, worker);
        }
    }

    private async Task ForgetAsync(string uid, PodWorker worker)
    {
        await worker.Ended;
        if (!_stop.IsCancellationRequested && _workers.TryRemove(uid, out _))
            await worker.DisposeAsync();
    }

    private async Task ForwardEventsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var uid in services.Runtime.Events.ReadAllAsync(cancellationToken))
                _workers.GetValueOrDefault(uid)?.Signal();
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    private async Task RemoveOrphansAsync(HashSet<string> known, CancellationToken cancellationToken)
    {
        await RemoveOrphanSandboxesAsync(services.Runtime, known, cancellationToken);
        if (!Directory.Exists(services.Directories.Pods))
            return;
        foreach (var uid in Directory.EnumerateDirectories(services.Directories.Pods).Select(d => Path.GetFileName(d)!).Where(uid => !known.Contains(uid)).ToList())
        {
            await TryAsync(uid, () =>
            {
                services.Volumes.Remove(uid);
                DirectoryRemoval.Delete(services.Directories.Pod(uid));
                return Task.CompletedTask;
            });
        }
    }

    private async Task RemoveOrphanSandboxesAsync(IPodRuntime runtime, HashSet<string> known, CancellationToken cancellationToken)
    {
        var all = await runtime.ListAsync(cancellationToken);
        foreach (var sandbox in all.Sandboxes.Where(s => !known.Contains(s.Spec.PodUid)))
        {
            Log.Orphan(_logger, sandbox.Spec.Namespace, sandbox.Spec.Name);
            await TryAsync(sandbox.Spec.PodUid, async () =>
            {
                await Task.WhenAll(all.Containers.Where(c => c.SandboxId == sandbox.Id).Select(c => runtime.StopContainerAsync(c.Id, TimeSpan.FromSeconds(2), cancellationToken)));
                await runtime.RemoveSandboxAsync(sandbox.Id, cancellationToken);
            });
        }
    }

    // The node and its other pods do not wait for one that cannot be taken away; the next start tries again.
    private async Task TryAsync(string uid, Func<Task> remove)
    {
        try
        {
            await remove();
        }
        catch (Exception e) when (e is RuntimeException or IOException or UnauthorizedAccessException)
        {
            Log.OrphanStays(_logger, uid, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _subscription?.Dispose();
        await _stop.CancelAsync();
        await _events;
        await Task.WhenAll(_workers.Values.Select(w => w.DisposeAsync().AsTask()));
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Pod {Namespace}/{Pod} runs here but is deleted: stopping it", EventName = nameof(Orphan))]
        public static partial void Orphan(ILogger logger, string @namespace, string pod);

        [LoggerMessage(LogLevel.Warning, "What the deleted pod with uid {Uid} left here could not be taken away; the next start tries again", EventName = nameof(OrphanStays))]
        public static partial void OrphanStays(ILogger logger, string uid, Exception error);
    }
}
