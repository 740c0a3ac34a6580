using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.Api.Policy;
using Weft.Api.Storage;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Scheduling.Explain;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;
using Weft.Control.Scheduling.Plugins;
using Weft.Control.Scheduling.Preemption;
using Weft.Control.Scheduling.Queue;

namespace Weft.Control.Scheduling;

/// <summary>
/// Places pods of the schedulerName `default-scheduler` on nodes. One loop decides, one pod after the other, on a snapshot; workers write
/// bindings and conditions, so that a slow API server does not slow decisions until their backlog is full.
/// </summary>
public sealed partial class Scheduler : IAsyncDisposable
{
    // An attached cluster answers in 5-20 ms: 16 at a time write about 1,000 bindings a second.
    private const int Writers = 16;
    private const int WriteBacklog = 256;

    // Besides the changes that are told: whether a pod has waited too long for its volumes.
    private static readonly TimeSpan WaitsLookAgain = TimeSpan.FromSeconds(30);

    private readonly Informers _informers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly SchedulingQueue _queue;
    private readonly ClusterCache _cache;
    private readonly SchedulerCore _core;
    private readonly IReservePlugin[] _reserves;
    private readonly IBindPlugin _binder;
    private readonly PodReports _reports;
    private readonly Nominations _nominations = new();
    private readonly Evictor _evictor;
    private readonly ObjectCache<PodDisruptionBudget> _budgets;
    private readonly VolumeWaits _volumeWaits;
    private readonly WorkQueue<string> _volumeChanges;
    private readonly Channel<(QueuedPod Pod, string Node)> _bindings = Channel.CreateBounded<(QueuedPod, string)>(WriteBacklog);

    private readonly Channel<(PodInfo Pod, PreemptionPlan Plan)> _preemptions = Channel.CreateBounded<(PodInfo, PreemptionPlan)>(WriteBacklog);

    // The last diagnosis of each pod that waits to be written; the key comes once, however often the pod was looked at in between.
    private readonly ConcurrentDictionary<string, (PodInfo Pod, string Reason, string Message)> _unwritten = new();
    private readonly WorkQueue<string> _unwrittenKeys;
    private readonly List<IDisposable> _subscriptions = [];
    private Task _running = Task.CompletedTask;

    private Scheduler(KubeClient client, Informers informers, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        var resources = new ResourceNames();
        _informers = informers;
        _time = time;
        _logger = loggers.CreateLogger<Scheduler>();
        _queue = new SchedulingQueue(time);
        _cache = new ClusterCache(resources);
        // A random of its own: the decision loop does not wait for others' locks.
        _core = new SchedulerCore(SchedulingProfile.Default(resources), Own(random));
        _reserves = [_cache];
        _binder = new ApiBinder(client);
        _reports = new PodReports(client, time, random);
        _evictor = new Evictor(client, _reports, time);
        _budgets = informers.Cache<PodDisruptionBudget>();
        _unwrittenKeys = new WorkQueue<string>(time, random);
        _volumeWaits = new VolumeWaits(client, time);
        _volumeChanges = new WorkQueue<string>(time, random);
    }

    /// <summary>The last decision for each pod, with the refusals per plugin and node.</summary>
    public SchedulingAttempts Attempts { get; } = new();

    /// <summary>Pods that wait: ready to be decided, in back-off, without a node that would do, being decided or written.</summary>
    public (int Active, int BackedOff, int Unschedulable, int InFlight) Waiting => _queue.Counts;

    /// <summary>Nodes that decisions can choose from now.</summary>
    public int Nodes => _cache.Snapshot.Count;

    /// <summary>Returns when nodes and pods are known and decisions are being taken. Needs informers that run or will be started by somebody else meanwhile.</summary>
    public static async Task<Scheduler> StartAsync(
        KubeClient client, Informers informers, TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken cancellationToken = default)
    {
        var scheduler = new Scheduler(client, informers, time, random, loggers);
        try
        {
            await scheduler.StartAsync(cancellationToken);
            return scheduler;
        }
        catch
        {
            await scheduler.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
        await _stop.CancelAsync();
        await _running;
        _queue.Dispose();
        _unwrittenKeys.Dispose();
        _volumeChanges.Dispose();
        _stop.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var namespaces = _informers.Of<Namespace>();
        var nodes = _informers.Of<Node>();
        var pods = _informers.Of<Pod>();
        var (claims, volumes, classes) = (_informers.Of<PersistentVolumeClaim>(), _informers.Of<PersistentVolume>(), _informers.Of<StorageClass>());
        var budgets = _informers.Of<PodDisruptionBudget>();
        await Task.WhenAll(budgets.Synced, namespaces.Synced, nodes.Synced, pods.Synced, claims.Synced, volumes.Synced, classes.Synced).WaitAsync(cancellationToken);
        // Nodes before pods: the first decisions see the whole cluster.
        _subscriptions.Add(namespaces.Cache.Subscribe(OnNamespace));
        _subscriptions.Add(nodes.Cache.Subscribe(OnNode));
        _subscriptions.Add(classes.Cache.Subscribe(change => OnVolumes(facts => facts with
        {
            Classes = change.New is { } there ? facts.Classes.SetItem(there.Metadata.Name ?? "", there) : facts.Classes.Remove(change.Current.Metadata.Name ?? ""),
        })));
        _subscriptions.Add(volumes.Cache.Subscribe(change => OnVolumes(facts => facts with
        {
            Volumes = change.New is { } there ? facts.Volumes.SetItem(there.Metadata.Name ?? "", there) : facts.Volumes.Remove(change.Current.Metadata.Name ?? ""),
        })));
        _subscriptions.Add(claims.Cache.Subscribe(change => OnVolumes(facts => facts with
        {
            Claims = change.New is { } there ? facts.Claims.SetItem(there.Key(), there) : facts.Claims.Remove(change.Current.Key()),
        })));
        _subscriptions.Add(pods.Cache.Subscribe(OnPod));

        var tasks = new List<Task> { Task.Run(() => DecideAsync(_stop.Token), CancellationToken.None) };
        for (var i = 0; i < Writers; i++)
            tasks.Add(Task.Run(() => BindAsync(_stop.Token), CancellationToken.None));
        for (var i = 0; i < Writers / 4; i++)
            tasks.Add(Task.Run(() => ReportAsync(_stop.Token), CancellationToken.None));
        tasks.Add(Task.Run(() => PreemptAsync(_stop.Token), CancellationToken.None));
        tasks.Add(Task.Run(() => EndWaitsAsync(_stop.Token), CancellationToken.None));
        _running = Task.WhenAll(tasks);
    }

    private static Random Own(Random random)
    {
        lock (random)
            return new Random(random.Next());
    }

    private void OnNamespace(Change<Namespace> change) =>
        _queue.Happened(_cache.SetNamespace(change.Current.Metadata.Name ?? "", change.New?.Metadata.Labels));

    private void OnNode(Change<Node> change) =>
        _queue.Happened(change.New is null ? _cache.RemoveNode(change.Current.Metadata.Name ?? "") : _cache.SetNode(change.New));

    private void OnVolumes(Func<VolumeFacts, VolumeFacts> change)
    {
        _queue.Happened(_cache.ChangeVolumes(change));
        if (_volumeWaits.Count > 0)
            _volumeChanges.Add("");
    }

    private void OnPod(Change<Pod> change)
    {
        var pod = new PodInfo(change.Current);
        if (change.New is null || pod.IsTerminal)
        {
            if (_cache.IsAssumed(pod.Uid))
                _volumeWaits.Forget(pod.Uid);
            _nominations.Remove(pod.Uid);
            _queue.Remove(pod.Uid);
            Attempts.Remove(pod.Uid);
            _queue.Happened(_cache.RemovePod(pod.Uid));
        }
        else if (!string.IsNullOrEmpty(pod.Pod.Spec.NodeName))
        {
            _nominations.Remove(pod.Uid);
            _queue.Remove(pod.Uid);
            _queue.Happened(_cache.SetPod(pod, pod.Pod.Spec.NodeName));
        }
        else if (pod.Pod.Metadata.DeletionTimestamp is not null)
        {
            _nominations.Remove(pod.Uid);
            _queue.Remove(pod.Uid);
        }
        else if (IsOurs(pod.Pod) && !_cache.IsAssumed(pod.Uid))
        {
            // An assumed pod without a node is older news than the binding that is on its way.
            _queue.Set(pod);
        }
    }

    private static bool IsOurs(Pod pod) => pod.Spec.SchedulerName is null or "" or SchedulingProfile.DefaultName;

    private async Task DecideAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var queued = await _queue.TakeAsync(cancellationToken);
                var pod = queued.Pod;
                var snapshot = _nominations.Over(_cache.Snapshot, pod);
                switch (_core.Schedule(pod, snapshot))
                {
                    case SchedulingResult.Placed placed:
                        Record(queued, snapshot, placed);
                        _nominations.Remove(pod.Uid);
                        foreach (var plugin in _reserves)
                            plugin.Reserve(pod, placed.Node);
                        await _bindings.Writer.WriteAsync((queued, placed.Node), cancellationToken);
                        break;
                    case SchedulingResult.Unschedulable unschedulable:
                        Record(queued, unschedulable.Diagnosis);
                        var mayCure = unschedulable.Diagnosis.MayCure;
                        if (Preempt(pod, snapshot, unschedulable.Diagnosis) is { } plan)
                        {
                            // Before the victims are told: what they leave is promised already.
                            _nominations.Set(new Nomination(pod, plan.Node, [.. plan.Victims.Select(victim => victim.Uid)]));
                            await _preemptions.Writer.WriteAsync((pod, plan), cancellationToken);
                            mayCure |= ClusterEvents.PodRemoved;
                        }
                        _queue.Park(queued, mayCure);
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told to end.
        }
    }

    private PreemptionPlan? Preempt(PodInfo pod, ClusterSnapshot snapshot, Diagnosis diagnosis)
    {
        // What refuses the pod everywhere (a gate, a claim that is missing) no victim would change.
        if (diagnosis.Pod is not null || pod.Pod.Spec.PreemptionPolicy == "Never" || _nominations.MustWait(pod, snapshot))
            return null;
        var budgets = _budgets.All().Where(budget => budget.Spec.Selector?.Query() is not null)
            .Select(budget => new PodBudget(
                budget.Metadata.Namespace ?? "", budget.Spec.Selector!.Query()!.Matches, budget.Status.DisruptionsAllowed, budget.Status.DisruptedPods.Keys.ToHashSet()))
            .ToList();
        return PreemptionPlanner.Plan(pod, snapshot, budgets, _core.Fits);
    }

    private async Task PreemptAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var (pod, plan) in _preemptions.Reader.ReadAllAsync(cancellationToken))
            {
                try
                {
                    Log.Preempting(_logger, pod.Key.ToString(), plan.Node, plan.Victims.Length);
                    await _evictor.MakeRoomAsync(pod, plan, cancellationToken);
                }
                catch (Exception failure) when (IsExpected(failure))
                {
                    // The next decision for the pod plans anew.
                    _nominations.Remove(pod.Uid);
                    _queue.Happened(ClusterEvents.PodRemoved);
                    Log.NotPreempted(_logger, failure, pod.Key.ToString());
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told to end.
        }
    }

    private void Record(QueuedPod queued, ClusterSnapshot snapshot, SchedulingResult.Placed placed)
    {
        var scores = _core.Explain(queued.Pod, snapshot, snapshot.Find(placed.Node)!);
        Attempts.Add(new(
            queued.Pod.Key, queued.Pod.Uid, _time.GetUtcNow(), queued.Attempts, placed.Node, "", null, [], scores, placed.Feasible, placed.Evaluated));
    }

    private void Record(QueuedPod queued, Diagnosis diagnosis)
    {
        var pod = queued.Pod;
        var message = diagnosis.Message;
        Attempts.Add(new(
            pod.Key, pod.Uid, _time.GetUtcNow(), queued.Attempts, null, message, diagnosis.Pod,
            [.. diagnosis.Verdicts.Take(SchedulingAttempts.MaxNodes)], [], 0, diagnosis.Nodes));
        _unwritten[pod.Uid] = (pod, diagnosis.IsGated ? "SchedulingGated" : "Unschedulable", message);
        _unwrittenKeys.Add(pod.Uid);
        Log.Unschedulable(_logger, pod.Key.ToString(), message);
    }

    private async Task BindAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var (queued, node) in _bindings.Reader.ReadAllAsync(cancellationToken))
                await BindAsync(queued, node, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told to end.
        }
    }

    private async Task EndWaitsAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var key = await _volumeChanges.TakeAsync(cancellationToken);
                foreach (var (queued, node, isBound) in _volumeWaits.Ended(_cache.Snapshot.Volumes))
                {
                    if (isBound)
                        await _bindings.Writer.WriteAsync((queued, node), cancellationToken);
                    else
                    {
                        Unreserve(queued.Pod);
                        _queue.Retry(queued);
                    }
                }

                _volumeChanges.Done(key);
                if (_volumeWaits.Count > 0)
                    _volumeChanges.AddAfter(key, WaitsLookAgain);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told to end.
        }
    }

    private async Task BindAsync(QueuedPod queued, string node, CancellationToken cancellationToken)
    {
        var pod = queued.Pod;
        try
        {
            if (await _volumeWaits.BeginAsync(queued, node, _cache.Snapshot.Volumes, cancellationToken))
            {
                _volumeChanges.Add(""); // bound between the look and the note
                return;
            }

            await _binder.BindAsync(pod, node, cancellationToken);
            _queue.Remove(pod.Uid);
            Log.Placed(_logger, pod.Key.ToString(), node);
        }
        catch (ApiStatusException refused) when (refused.IsNotFound && _informers.Cache<Pod>().Find(pod.Key)?.Metadata.Uid != pod.Uid)
        {
            // The pod is gone; the watch has told, too.
            Unreserve(pod);
            _queue.Remove(pod.Uid);
            return;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            Log.BindFailed(_logger, failure, pod.Key.ToString(), node);
            Unreserve(pod);
            // Bound by somebody else meanwhile: the watch takes it off the queue. Otherwise it is tried again.
            _queue.Retry(queued);
            return;
        }

        await TryReportAsync(pod, () => _reports.ScheduledAsync(pod, node, cancellationToken));
    }

    private void Unreserve(PodInfo pod)
    {
        foreach (var plugin in _reserves)
            plugin.Unreserve(pod);
        _queue.Happened(ClusterEvents.PodRemoved);
    }

    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var uid = await _unwrittenKeys.TakeAsync(cancellationToken);
                if (_unwritten.TryRemove(uid, out var report))
                {
                    // What the watch has brought since may already say the same.
                    var current = _informers.Cache<Pod>().Find(report.Pod.Key);
                    if (current is not null && current.Metadata.Uid == report.Pod.Pod.Metadata.Uid && string.IsNullOrEmpty(current.Spec.NodeName))
                        await TryReportAsync(report.Pod, () => _reports.UnschedulableAsync(new PodInfo(current), report.Reason, report.Message, cancellationToken));
                }

                _unwrittenKeys.Done(uid);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told to end.
        }
    }

    private async Task TryReportAsync(PodInfo pod, Func<Task> report)
    {
        try
        {
            await report();
        }
        catch (ApiStatusException refused) when (refused.IsNotFound || refused.IsConflict || refused.IsNamespaceTerminating)
        {
            // The pod, or its namespace, is going: nobody is left to read it.
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            Log.ReportFailed(_logger, failure, pod.Key.ToString());
        }
    }

    private static bool IsExpected(Exception failure) =>
        failure is ApiStatusException or HttpRequestException or IOException or InvalidDataException or JsonException or TimeoutException;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Pod {Pod} placed on node {Node}", EventName = nameof(Placed))]
        public static partial void Placed(ILogger logger, string pod, string node);

        [LoggerMessage(LogLevel.Information, "Pod {Pod} cannot be placed: {Message}", EventName = nameof(Unschedulable))]
        public static partial void Unschedulable(ILogger logger, string pod, string message);

        [LoggerMessage(LogLevel.Information, "Pod {Pod} gets room on node {Node}: {Victims} pods of lower priority go", EventName = nameof(Preempting))]
        public static partial void Preempting(ILogger logger, string pod, string node, int victims);

        [LoggerMessage(LogLevel.Warning, "Room for pod {Pod} could not be made; it is tried again", EventName = nameof(NotPreempted))]
        public static partial void NotPreempted(ILogger logger, Exception failure, string pod);

        [LoggerMessage(LogLevel.Warning, "Pod {Pod} could not be bound to node {Node}; it is tried again", EventName = nameof(BindFailed))]
        public static partial void BindFailed(ILogger logger, Exception failure, string pod, string node);

        [LoggerMessage(LogLevel.Warning, "What was decided for pod {Pod} could not be written to its events or condition", EventName = nameof(ReportFailed))]
        public static partial void ReportFailed(ILogger logger, Exception failure, string pod);
    }
}
