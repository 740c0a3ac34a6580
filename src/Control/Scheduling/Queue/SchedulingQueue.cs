using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Queue;

/// <summary>
/// Pods that wait for a node, each in one of three pools: active (highest priority first, then first come first served), backed off (until a time), parked
/// (no node would do; until something happens that may help, or five minutes have passed, in case the help was not seen). A pod handed out
/// stays known until it is reported back: events in between are remembered, or one that comes during a decision would be lost.
/// </summary>
internal sealed class SchedulingQueue : IDisposable
{
    // kube-scheduler's podInitialBackoffSeconds, podMaxBackoffSeconds and podMaxInUnschedulablePodsDuration.
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxParked = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Dictionary<string, QueuedPod> _pods = [];
    private readonly PriorityQueue<(QueuedPod Pod, int Version), (long Priority, long Order)> _active = new();
    private readonly PriorityQueue<(QueuedPod Pod, int Version), DateTimeOffset> _later = new();
    private DateTimeOffset _timerDue = DateTimeOffset.MaxValue;
    private TaskCompletionSource? _waiting;
    private long _order;
    private bool _disposed;

    public SchedulingQueue(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static self => ((SchedulingQueue)self!).Release(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many pods are in each pool; in flight are those handed out.</summary>
    public (int Active, int BackedOff, int Parked, int InFlight) Counts
    {
        get
        {
            lock (_gate)
            {
                int Of(QueuePlace place) => _pods.Values.Count(pod => pod.Place == place);
                return (Of(QueuePlace.Active), Of(QueuePlace.BackedOff), Of(QueuePlace.Parked), Of(QueuePlace.InFlight));
            }
        }
    }

    /// <summary>A pod appeared or changed. A change that bears on its placement ends its parking.</summary>
    public void Set(PodInfo pod)
    {
        lock (_gate)
        {
            if (!_pods.TryGetValue(pod.Uid, out var known))
            {
                _pods[pod.Uid] = known = new QueuedPod(pod);
                Activate(known);
                return;
            }

            var matters = PlacementChanged(known.Pod, pod);
            known.Pod = pod;
            if (!matters)
                return;
            if (known.Place == QueuePlace.InFlight)
                known.Changed = true;
            else if (known.Place == QueuePlace.Parked)
                Wake(known);
            else if (known.Place == QueuePlace.Active)
                Activate(known); // its priority may be another
        }
    }

    /// <summary>The pod has a node, or is gone.</summary>
    public void Remove(string uid)
    {
        lock (_gate)
        {
            if (_pods.Remove(uid, out var pod))
                Move(pod, QueuePlace.Gone);
        }
    }

    /// <summary>The next pod; waits for one. It is reported back by <see cref="Park"/>, <see cref="Retry"/> or <see cref="Remove"/>.</summary>
    public async ValueTask<QueuedPod> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wait;
            lock (_gate)
            {
                if (TryTake() is { } pod)
                    return pod;
                _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = _waiting.Task;
            }

            await wait.WaitAsync(cancellationToken);
        }
    }

    /// <summary>As <see cref="TakeAsync"/>, or null when none is active now.</summary>
    public QueuedPod? Take()
    {
        lock (_gate)
            return TryTake();
    }

    /// <summary>No node would do for it.</summary>
    public void Park(QueuedPod pod, ClusterEvents mayCure)
    {
        lock (_gate)
        {
            if (pod.Place != QueuePlace.InFlight)
                return;
            var happened = pod.Events;
            pod.BackedOffUntil = _time.GetUtcNow() + BackoffOf(pod.Attempts);
            if (pod.Changed || (happened & mayCure) != 0)
            {
                Wake(pod);
                return;
            }

            Move(pod, QueuePlace.Parked);
            pod.Events = mayCure;
            Later(pod, _time.GetUtcNow() + MaxParked);
        }
    }

    /// <summary>A decision was taken, and could not be carried out.</summary>
    public void Retry(QueuedPod pod)
    {
        lock (_gate)
        {
            if (pod.Place != QueuePlace.InFlight)
                return;
            pod.BackedOffUntil = _time.GetUtcNow() + BackoffOf(pod.Attempts);
            Wake(pod);
        }
    }

    /// <summary>Something happened in the cluster: parked pods that it may help get their turn.</summary>
    public void Happened(ClusterEvents events)
    {
        if (events == ClusterEvents.None)
            return;
        lock (_gate)
        {
            foreach (var pod in _pods.Values)
            {
                if (pod.Place == QueuePlace.InFlight)
                    pod.Events |= events;
                else if (pod.Place == QueuePlace.Parked && (pod.Events & events) != 0)
                    Wake(pod);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _disposed = true;
        _timer.Dispose();
    }

    internal static TimeSpan BackoffOf(int attempts)
    {
        var doublings = Math.Clamp(attempts - 1, 0, 10);
        return TimeSpan.FromTicks(Math.Min(FirstBackoff.Ticks << doublings, MaxBackoff.Ticks));
    }

    private QueuedPod? TryTake()
    {
        while (_active.TryDequeue(out var next, out _))
        {
            if (next.Pod.Version != next.Version)
                continue;
            Move(next.Pod, QueuePlace.InFlight);
            next.Pod.Attempts++;
            next.Pod.Events = ClusterEvents.None;
            next.Pod.Changed = false;
            return next.Pod;
        }

        return null;
    }

    private void Wake(QueuedPod pod)
    {
        if (pod.BackedOffUntil <= _time.GetUtcNow())
        {
            Activate(pod);
            return;
        }

        Move(pod, QueuePlace.BackedOff);
        Later(pod, pod.BackedOffUntil);
    }

    private void Activate(QueuedPod pod)
    {
        Move(pod, QueuePlace.Active);
        _active.Enqueue((pod, pod.Version), (-(long)pod.Pod.Priority, _order++));
        _waiting?.TrySetResult();
        _waiting = null;
    }

    private static void Move(QueuedPod pod, QueuePlace place)
    {
        pod.Place = place;
        pod.Version++;
    }

    private void Later(QueuedPod pod, DateTimeOffset due)
    {
        _later.Enqueue((pod, pod.Version), due);
        SetTimer();
    }

    private void Release()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _timerDue = DateTimeOffset.MaxValue;
            var now = _time.GetUtcNow();
            while (_later.TryPeek(out var next, out var due) && (due <= now || next.Pod.Version != next.Version))
            {
                _later.Dequeue();
                if (next.Pod.Version == next.Version)
                    Activate(next.Pod);
            }

            SetTimer();
        }
    }

    private void SetTimer()
    {
        if (_disposed || !_later.TryPeek(out _, out var due) || due >= _timerDue)
            return;
        _timerDue = due;
        // Whole milliseconds, rounded up: a timer that fires early would find nothing due.
        var wait = Math.Max(0, Math.Ceiling((due - _time.GetUtcNow()).TotalMilliseconds));
        _timer.Change(TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
    }

    // Most updates of a waiting pod are its own status, above all the condition that the scheduler itself wrote: they must not wake it.
    private static bool PlacementChanged(PodInfo old, PodInfo @new) =>
        old.Pod.Metadata.Generation != @new.Pod.Metadata.Generation
        || old.Pod.Spec.SchedulingGates.Count != @new.Pod.Spec.SchedulingGates.Count
        || old.Pod.Spec.Tolerations.Count != @new.Pod.Spec.Tolerations.Count
        || old.Pod.Spec.NodeSelector.Count != @new.Pod.Spec.NodeSelector.Count
        || old.Priority != @new.Priority
        || old.Cpu != @new.Cpu || old.Memory != @new.Memory
        || old.Labels.Count != @new.Labels.Count || old.Labels.Except(@new.Labels).Any();
}
