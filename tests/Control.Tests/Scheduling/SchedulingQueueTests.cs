using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;
using Weft.Control.Scheduling.Queue;
using Weft.Testing;

namespace Weft.Control.Tests.Scheduling;

public sealed class SchedulingQueueTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly SchedulingQueue _queue;

    public SchedulingQueueTests() => _queue = new SchedulingQueue(_time);

    public void Dispose() => _queue.Dispose();

    [Fact]
    public void The_highest_priority_comes_first_and_then_who_came_first()
    {
        Set("a", 0);
        Set("b", 10);
        Set("c", 0);
        Set("d", 10);
        Set("e", -5);

        Assert.Equal(["b", "d", "a", "c", "e"], Enumerable.Range(0, 5).Select(_ => _queue.Take()!.Pod.Uid));
        Assert.Null(_queue.Take());
    }

    [Fact]
    public void A_parked_pod_waits_for_an_event_that_may_help()
    {
        Set("a");
        _queue.Park(_queue.Take()!, ClusterEvents.PodRemoved | ClusterEvents.NodeAdded);
        _time.Advance(TimeSpan.FromSeconds(30));

        _queue.Happened(ClusterEvents.NodeLabelsChanged);
        Assert.Null(_queue.Take());

        _queue.Happened(ClusterEvents.NodeAdded);
        Assert.Equal(2, _queue.Take()!.Attempts);
    }

    [Fact]
    public void An_event_within_the_back_off_is_remembered_until_it_ends()
    {
        Set("a");
        _queue.Park(_queue.Take()!, ClusterEvents.NodeAdded);

        _queue.Happened(ClusterEvents.NodeAdded);

        Assert.Null(_queue.Take());
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Null(_queue.Take());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("a", _queue.Take()!.Pod.Uid);
    }

    [Fact]
    public void An_event_during_the_decision_is_not_lost()
    {
        Set("a");
        var taken = _queue.Take()!;
        _queue.Happened(ClusterEvents.PodRemoved);
        _queue.Park(taken, ClusterEvents.PodRemoved);

        Assert.Equal((0, 1, 0, 0), _queue.Counts);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("a", _queue.Take()!.Pod.Uid);
    }

    [Fact]
    public void The_back_off_doubles_from_one_second_to_ten()
    {
        Assert.Equal([1, 2, 4, 8, 10, 10], Enumerable.Range(1, 6).Select(attempt => SchedulingQueue.BackoffOf(attempt).TotalSeconds));
        Assert.Equal(10, SchedulingQueue.BackoffOf(int.MaxValue).TotalSeconds);
    }

    [Fact]
    public void A_failed_binding_is_tried_again_after_the_back_off()
    {
        Set("a");
        _queue.Retry(_queue.Take()!);

        Assert.Null(_queue.Take());
        _time.Advance(TimeSpan.FromSeconds(1));
        _queue.Retry(_queue.Take()!);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_queue.Take());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(_queue.Take());
    }

    [Fact]
    public void Five_minutes_end_every_parking()
    {
        Set("a");
        _queue.Park(_queue.Take()!, ClusterEvents.None);

        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.Null(_queue.Take());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("a", _queue.Take()!.Pod.Uid);
    }

    [Fact]
    public void Only_a_change_that_bears_on_the_placement_wakes_a_parked_pod()
    {
        var pod = Set("a");
        _queue.Park(_queue.Take()!, ClusterEvents.None);
        _time.Advance(TimeSpan.FromSeconds(2));

        _queue.Set(new PodInfo(pod with { Status = new PodStatus { Conditions = [new PodCondition { Type = "PodScheduled", Status = "False" }] } }));
        Assert.Null(_queue.Take());

        _queue.Set(new PodInfo(pod.Spec(spec => spec with { Tolerations = [new Toleration { Operator = "Exists" }] })));
        Assert.Single(_queue.Take()!.Pod.Pod.Spec.Tolerations);
    }

    [Fact]
    public void A_removed_pod_does_not_come_back()
    {
        Set("a");
        var taken = _queue.Take()!;
        _queue.Remove("a");
        _queue.Park(taken, ClusterEvents.NodeAdded);
        _queue.Retry(taken);
        _queue.Happened(ClusterEvents.NodeAdded);
        _time.Advance(TimeSpan.FromMinutes(6));

        Assert.Null(_queue.Take());
        Assert.Equal((0, 0, 0, 0), _queue.Counts);
    }

    [Fact]
    public async Task A_taker_waits_for_the_next_pod()
    {
        var taking = _queue.TakeAsync(CancellationToken.None).AsTask();
        Assert.False(taking.IsCompleted);

        Set("a");

        Assert.Equal("a", (await Eventually.EndsAsync(taking)).Pod.Uid);
    }

    private Pod Set(string name, int priority = 0)
    {
        var pod = Sample.Pod(name).Spec(spec => spec with { Priority = priority });
        pod = pod with { Metadata = pod.Metadata with { Uid = name } };
        _queue.Set(new PodInfo(pod));
        return pod;
    }
}
