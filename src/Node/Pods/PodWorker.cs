using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Interop;
using Weft.Node.Runtime;
using Weft.Node.Volumes;

namespace Weft.Node.Pods;

/// <summary>
/// One pod's loop: look, publish the status, plan, do the steps, look again until there is nothing to do, then wait for the next event. Stops of
/// containers run beside the loop, because they may take their whole grace.
/// </summary>
internal sealed partial class PodWorker : IAsyncDisposable
{
    // A step that failed for no reason of the pod's is tried again after this.
    private static readonly TimeSpan RetryAfterFailure = TimeSpan.FromSeconds(1);

    // The kubelet's longest wait between two tries to mount is 122 s; a token of a running pod is worth asking for sooner.
    private static readonly TimeSpan RetryVolumes = TimeSpan.FromSeconds(15);

    // The proxy was waited for already when it is tried again.
    private static readonly TimeSpan RetryMesh = TimeSpan.FromSeconds(1);

    // A force-deleted pod (its object is gone) gets this much to end in.
    private static readonly TimeSpan GoneGrace = TimeSpan.FromSeconds(2);

    private const string MeshNotReady = "MeshNotReady";

    private PodServices _services;
    private readonly string _uid;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _ending;
    private PodContainers? _containers;   // once the runtime is chosen
    private readonly ConcurrentDictionary<string, Task> _stopping = new();
    private readonly Task _running;
    private readonly ITimer _timer;
    private Pod _pod;
    private volatile bool _gone;
    private readonly TaskCompletionSource _isGone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _volumesStale;
    private StartFailure? _setup;
    private IReadOnlyDictionary<string, string>? _volumes;
    private DateTimeOffset? _renewTokens;
    private bool _finished;
    private string? _told;
    private volatile Ending? _end;
    private Task? _withdrawn;
    private readonly TaskCompletionSource _quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PodWorker(PodServices services, Pod pod)
    {
        _services = services;
        _pod = pod;
        _uid = pod.Metadata.Uid!;
        _logger = services.Loggers.CreateLogger<PodWorker>();
        _ending = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _timer = services.Time.CreateTimer(static self => ((PodWorker)self!).Signal(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Everything of the pod is off this machine, and its object is deleted or was never ours to delete.</summary>
    public Task Ended => _running;

    /// <summary>The pod has ended for good: nothing of it runs, and the API knows its status. Its object may stay.</summary>
    public Task Quiet => _quiet.Task;

    public Pod Pod => Volatile.Read(ref _pod);

    public void Update(Pod pod)
    {
        var before = Pod;
        Volatile.Write(ref _pod, pod);
        _services.Mesh?.Update(pod);
        foreach (var container in PodShape.AllContainers(pod).Where(c => PodShape.Find(before, c.Name) is { } old && old.Image != c.Image))
            _containers?.ImageChanged(container.Name);
        if (pod.Metadata.DeletionTimestamp is not null)
            EndWaits();
        Signal();
    }

    /// <summary>The object is no longer there: whatever runs is stopped.</summary>
    public void Gone()
    {
        _gone = true;
        _isGone.TrySetResult();
        EndWaits();
        Signal();
    }

    /// <summary>The node ends the pod for good: it fails, and its containers get at most this grace.</summary>
    public void End(string reason, string message, TimeSpan grace)
    {
        _services.Events.Warning(Pod, reason, message);
        _end = new Ending(reason, message, grace);
        EndWaits();
        Signal();
    }

    private sealed record Ending(string Reason, string Message, TimeSpan Grace)
    {
        public Pod Of(Pod pod, DateTimeOffset now) => pod with
        {
            Status = pod.Status with
            {
                Phase = "Failed",
                Reason = Reason,
                Message = Message,
                Conditions =
                [
                    .. pod.Status.Conditions.Where(c => c.Type != "DisruptionTarget"),
                    new PodCondition { Type = "DisruptionTarget", Status = "True", Reason = "TerminationByKubelet", Message = Message, LastTransitionTime = now },
                ],
            },
        };
    }

    // What a pod refers to may never be answered for (its namespace is gone, say); a pod that is to end does not wait for it.
    private void EndWaits()
    {
        try
        {
            _ending.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The agent stops.
        }
    }

    public void RefreshVolumes()
    {
        _volumesStale = true;
        Signal();
    }

    public void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is to look again already.
        }
        catch (ObjectDisposedException)
        {
            // The agent stops.
        }
    }

    private async Task RunAsync()
    {
        try
        {
            Signal();
            while (!_finished)
            {
                await _signal.WaitAsync(_stop.Token);
                try
                {
                    while (await SyncAsync(_stop.Token))
                    {
                    }
                }
                catch (OperationCanceledException) when (_ending.IsCancellationRequested && !_stop.IsCancellationRequested)
                {
                    Signal();   // it waited for something that it needs no more
                }
                catch (Exception e) when (!_stop.IsCancellationRequested)   // whatever it was: it is logged, and this pod is not given up
                {
                    Log.SyncFailed(_logger, Pod.Metadata.Namespace ?? "", Pod.Metadata.Name ?? "", e);
                    WakeIn(RetryAfterFailure);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent stops; the pod does not.
        }
        if (_finished)
            _quiet.TrySetResult();
    }

    /// <summary>True when something was done, so that it must look again.</summary>
    private async Task<bool> SyncAsync(CancellationToken cancellationToken)
    {
        var pod = Pod;
        // What the node decided holds before the API has heard of it.
        if (_end is { } end && !PodShape.IsTerminal(pod))
            pod = end.Of(pod, _services.Time.GetUtcNow());
        if (_gone)
        {
            await CleanUpAsync(cancellationToken);
            _finished = true;
            return false;
        }
        if (_containers is null && !await ChooseAsync(pod, cancellationToken))
        {
            if (_end is not null && !WasHere(pod))
                BeQuiet(_services.Statuses.Set(pod, pod.Status));   // it never began
            return false;
        }

        var now = _services.Time.GetUtcNow();
        await RefreshVolumesAsync(pod, now, cancellationToken);
        var seen = await _containers!.ObserveAsync(pod, _setup, _volumes is not null, _stopping.Keys.ToHashSet(), cancellationToken);
        var written = _services.Statuses.Set(pod, PodStatusBuilder.Build(pod, seen, _services.Node, now));

        var plan = PodPlanner.Plan(pod, seen, now);
        var starts = new List<Task>();
        foreach (var step in plan.Steps)
        {
            if (step is PodStep.Start start)
                starts.Add(_containers.StartAsync(pod, start, seen, _volumes ?? new Dictionary<string, string>(), cancellationToken));
            else
                await DoAsync(pod, step, seen, written, cancellationToken);
        }
        await Task.WhenAll(starts);
        if (PodShape.IsTerminal(pod) && plan.Steps.Length == 0 && _stopping.IsEmpty)
            BeQuiet(written);

        var renew = pod.Metadata.DeletionTimestamp is null ? _renewTokens : null;
        var wake = plan.WakeAt is null || renew < plan.WakeAt ? renew ?? plan.WakeAt : plan.WakeAt;
        if (wake is { } at)
            WakeIn(at - _services.Time.GetUtcNow());
        return plan.Steps.Length > 0 && !_finished && plan.Steps.Any(s => s is not PodStep.Kill);
    }

    private void BeQuiet(Task written)
    {
        if (!_quiet.Task.IsCompleted)
            _ = written.ContinueWith(static (_, quiet) => ((TaskCompletionSource)quiet!).TrySetResult(), _quiet, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task DoAsync(Pod pod, PodStep step, PodObservation seen, Task written, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case PodStep.SetUp:
                await SetUpAsync(pod, cancellationToken);
                break;
            case PodStep.Kill kill:
                // There before it begins: its end takes the entry away.
                var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _stopping[kill.ContainerId] = ended.Task;
                _ = StopAsync(pod, kill, ended, cancellationToken);
                break;
            case PodStep.Forget forget:
                await _containers!.ForgetAsync(forget.ContainerId, cancellationToken);
                break;
            case PodStep.TearDown:
                await LeaveMeshAsync(cancellationToken);
                await _services.Runtime.StopSandboxAsync(seen.Sandbox!.Id, cancellationToken);
                _services.Volumes.Remove(_uid);
                _volumes = null;
                break;
            case PodStep.Finish:
                await FinishAsync(pod, seen, written, cancellationToken);
                break;
        }
    }

    private async Task SetUpAsync(Pod pod, CancellationToken cancellationToken)
    {
        var reason = "FailedCreatePodSandBox";
        try
        {
            if (!_services.OfImages && pod.Spec.ShareProcessNamespace == true)
                throw new RuntimeException(RuntimeError.Sandbox, "shareProcessNamespace is not supported by process pods: leave it out, or use hostPID");
            if (_setup is null && !_services.OfImages && pod.Spec.HostNetwork != true && PodShape.AllContainers(pod).Any(c => c.Ports.Any(port => port.HostPort is > 0)))
                _services.Events.Warning(pod, "HostPortNotSupported", "hostPort is not opened for process pods yet: use hostNetwork, a Service, or the pod's own address");
            // Asked for while the sandbox is made.
            var references = WatchReferences(pod);
            var tokens = _services.Volumes.PrefetchAsync(pod, cancellationToken);
            var sandbox = await SandboxAsync(pod, cancellationToken);
            reason = "FailedMount";
            await tokens;
            Directory.CreateDirectory(_services.Directories.Pod(_uid), Runtime.Process.ProcessMachine.OwnerOnly);
            await PodFiles.WriteAsync(pod, sandbox, _services, cancellationToken);
            if (_services.Mesh is { } mesh)
            {
                reason = MeshNotReady;
                await mesh.JoinAsync(pod, sandbox.Ips, _ending.Token);
                reason = "FailedMount";
            }
            (_volumes, _renewTokens) = await _services.Volumes.EnsureAsync(pod, await references, sandbox.Ips, cancellationToken);
            _setup = null;
        }
        catch (Exception e) when (e is RuntimeException or VolumeException or IOException or UnauthorizedAccessException or ApiStatusException or HttpRequestException)
        {
            var text = reason == "FailedMount" ? $"MountVolume.SetUp failed for {e.Message}" : e.Message;
            var now = _services.Time.GetUtcNow();
            _setup = new StartFailure(reason, text, now, (_setup?.Count ?? 0) + 1, reason == MeshNotReady && e is RuntimeException ? now + RetryMesh : null);
            _services.Events.Warning(pod, reason, text);
        }
    }

    /// <summary>The pod's sandbox; one that is not usable any more is replaced, with the records of its containers.</summary>
    private async Task<SandboxInfo> SandboxAsync(Pod pod, CancellationToken cancellationToken)
    {
        var all = (await _services.Runtime.ListAsync(cancellationToken)).Sandboxes.Where(s => s.Spec.PodUid == _uid).ToList();
        if (all.FirstOrDefault(s => s.Ready) is { } ready)
            return ready;
        foreach (var old in all)
            await _services.Runtime.RemoveSandboxAsync(old.Id, cancellationToken);
        return await _services.Runtime.CreateSandboxAsync(SandboxSpecs.Of(pod, _services, all.Count == 0 ? 0 : all.Max(s => s.Spec.Attempt) + 1), cancellationToken);
    }

    private async Task<ReferencedObjects> WatchReferences(Pod pod)
    {
        var (maps, secrets) = PodReferences.Of(pod);
        var ns = pod.Metadata.Namespace!;
        _services.ConfigMaps.Set(_uid, ns, maps);
        _services.Secrets.Set(_uid, ns, secrets);
        return new(await _services.ConfigMaps.GetAsync(ns, maps, _ending.Token), await _services.Secrets.GetAsync(ns, secrets, _ending.Token));
    }

    // After a change of what volumes show, at the renewal of a token, and once in a new run of the agent.
    private async Task RefreshVolumesAsync(Pod pod, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // A pod that is to end needs no newer content, and what it needs for one may be gone already.
        if (pod.Metadata.DeletionTimestamp is not null)
            return;
        if (_volumesStale)
        {
            // What was missing may be there now.
            _setup = null;
            _containers!.ForgetFailures();
        }
        var all = await _services.Runtime.ListAsync(cancellationToken);
        var isAdopted = _volumes is null && all.Containers.Any(c => c.PodUid == _uid);
        if (!isAdopted && (_volumes is null || !(_volumesStale || _renewTokens <= now)))
            return;
        if (all.Sandboxes.FirstOrDefault(s => s.Spec.PodUid == _uid && s.Ready) is not { } sandbox)
            return;
        _volumesStale = false;
        try
        {
            (_volumes, _renewTokens) = await _services.Volumes.EnsureAsync(pod, await WatchReferences(pod), sandbox.Ips, cancellationToken);
        }
        catch (Exception e) when (e is VolumeException or ApiStatusException or HttpRequestException or IOException or UnauthorizedAccessException)
        {
            // What is mounted keeps its last good content. Nothing may tell that the cause is gone (a service account made again), so it is tried again.
            _volumes ??= new Dictionary<string, string>();
            _renewTokens = now + RetryVolumes;
            _services.Events.Warning(pod, "FailedMount", $"MountVolume.SetUp failed for {e.Message}");
        }
    }

    private async Task StopAsync(Pod pod, PodStep.Kill kill, TaskCompletionSource ended, CancellationToken cancellationToken)
    {
        await Task.Yield();
        try
        {
            var grace = kill.Grace ?? _end?.Grace ?? PodShape.Grace(pod);
            await _containers!.StopAsync(pod, kill, grace, WithdrawnAsync(pod, grace, cancellationToken), cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The agent stops: the next run stops it again.
        }
        catch (Exception e) when (e is RuntimeException or IOException)
        {
            Log.SyncFailed(_logger, pod.Metadata.Namespace ?? "", pod.Metadata.Name ?? "", e);
        }
        finally
        {
            _stopping.TryRemove(kill.ContainerId, out _);
            Signal();
            ended.SetResult();
        }
    }

    // Once for all its containers. One that ends for another reason than its deletion is not taken out of use by anybody.
    private Task? WithdrawnAsync(Pod pod, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (pod.Metadata.DeletionTimestamp is null || _services.Withdrawal is not { } withdrawal)
            return null;
        lock (_stopping)
            return _withdrawn ??= Task.WhenAny(withdrawal.WaitAsync(pod, grace, cancellationToken), _isGone.Task); // who is deleted by force is not waited for
    }

    private async Task FinishAsync(Pod pod, PodObservation seen, Task written, CancellationToken cancellationToken)
    {
        await written.WaitAsync(cancellationToken);   // nobody shall miss the exit codes
        // The object goes last: who sees it gone may count on address, files and processes being gone too.
        await CleanUpAsync(cancellationToken);
        await _services.Client.For<Pod>().DeleteIfThereAsync(
            new ObjectKey(pod.Metadata.Namespace!, pod.Metadata.Name!), cancellationToken, new Deletion { GracePeriodSeconds = 0, Uid = _uid });
        _finished = true;
    }

    private async Task CleanUpAsync(CancellationToken cancellationToken)
    {
        var all = await _services.Runtime.ListAsync(cancellationToken);
        await Task.WhenAll(all.Containers.Where(c => c.PodUid == _uid && c.State != RunState.Exited)
            .Select(c => _services.Runtime.StopContainerAsync(c.Id, _stopping.ContainsKey(c.Id) ? TimeSpan.Zero : GoneGrace, cancellationToken)));
        await Task.WhenAll(_stopping.Values);
        if (_containers is not null)
            await _containers.DisposeAsync();
        await LeaveMeshAsync(cancellationToken);
        foreach (var sandbox in all.Sandboxes.Where(s => s.Spec.PodUid == _uid))
            await _services.Runtime.RemoveSandboxAsync(sandbox.Id, cancellationToken);
        _services.Volumes.Remove(_uid);
        _services.ConfigMaps.Set(_uid, "", new HashSet<string>());
        _services.Secrets.Set(_uid, "", new HashSet<string>());
        DirectoryRemoval.Delete(_services.Directories.Pod(_uid));
    }

    private Task LeaveMeshAsync(CancellationToken cancellationToken) => _services.Mesh?.LeaveAsync(_uid, cancellationToken) ?? Task.CompletedTask;

    /// <summary>False: its runtime is not known or not there, or the pod will never run here.</summary>
    private async Task<bool> ChooseAsync(Pod pod, CancellationToken cancellationToken)
    {
        switch (await _services.Chooser.ChooseAsync(pod, cancellationToken))
        {
            case RuntimeChoice.Chosen chosen:
                var services = _services with { Runtime = chosen.Runtime, Handler = chosen.Handler };
                if (pod.Metadata.DeletionTimestamp is null && !PodShape.IsTerminal(pod) && !WasHere(pod) && NodeAdmission.Check(pod, services.OfImages, services.State()) is { } rejection)
                {
                    _services.Events.Warning(pod, rejection.Reason, rejection.Message);
                    _ = _services.Statuses.Set(pod, pod.Status with { Phase = "Failed", Reason = rejection.Reason, Message = "Pod was rejected: " + rejection.Message, StartTime = _services.Time.GetUtcNow() });
                    return false;
                }
                Volatile.Write(ref _services, services);
                _containers = new PodContainers(services, _uid, Signal);
                return true;
            case RuntimeChoice.Refused refused:
                await RefuseAsync(pod, refused, cancellationToken);
                return false;
            default:
                return false;   // the image runtime is starting, and its start is told
        }
    }

    // Something of it may still run here, or has.
    private static bool WasHere(Pod pod) => pod.Status.ContainerStatuses.Concat(pod.Status.InitContainerStatuses).Any(s => s.ContainerID is { Length: > 0 });

    /// <summary>Its runtime is not to be had: it waits, and says for what.</summary>
    private async Task RefuseAsync(Pod pod, RuntimeChoice.Refused refused, CancellationToken cancellationToken)
    {
        if (pod.Metadata.DeletionTimestamp is not null && !WasHere(pod))
        {
            await FinishAsync(pod, new PodObservation(), Task.CompletedTask, cancellationToken);
            return;
        }
        if (_told != refused.Message)
            _services.Events.Warning(pod, refused.Reason, refused.Message);
        _told = refused.Message;
        if (WasHere(pod))
            return;   // what is known of its containers stays said
        var now = _services.Time.GetUtcNow();
        var seen = new PodObservation { Setup = new StartFailure(refused.Reason, refused.Message, now, 1) };
        _ = _services.Statuses.Set(pod, PodStatusBuilder.Build(pod, seen, _services.Node, now));
    }

    /// <summary>The runtime that the pod runs in; before it is chosen, all of them.</summary>
    public IPodRuntime PodRuntime => Volatile.Read(ref _services).Runtime;

    private void WakeIn(TimeSpan delay) => _timer.Change(delay > TimeSpan.Zero ? delay + TimeSpan.FromMilliseconds(1) : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await Task.WhenAll(_stopping.Values);
        if (_containers is not null)
            await _containers.DisposeAsync();
        await _timer.DisposeAsync();
        _signal.Dispose();
        _ending.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Pod {Namespace}/{Pod} could not be brought forward; it is tried again", EventName = nameof(SyncFailed))]
        public static partial void SyncFailed(ILogger logger, string @namespace, string pod, Exception error);
    }
}
