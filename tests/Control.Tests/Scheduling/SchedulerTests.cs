using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Scheduling;
using Weft.Testing;

namespace Weft.Control.Tests.Scheduling;

/// <summary>The whole scheduler against the wire.</summary>
public sealed class SchedulerTests : IAsyncLifetime
{
    private readonly TinyApi _api = new();
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private KubeClient _client = null!;
    private Informers _informers = null!;
    private Scheduler _scheduler = null!;

    public async ValueTask InitializeAsync()
    {
        _client = new KubeClient(_api, _time);
        _informers = new Informers(_client, _time, Seeded.Random(1), (_, _) => { });
        _informers.Start(_stop.Token);
        _scheduler = await Eventually.EndsAsync(Scheduler.StartAsync(_client, _informers, _time, Seeded.Random(2), NullLoggerFactory.Instance));
    }

    public async ValueTask DisposeAsync()
    {
        await _scheduler.DisposeAsync();
        await _stop.CancelAsync();
        await _informers.StoppedAsync();
        _client.Dispose();
        _stop.Dispose();
    }

    // Nodes and pods come by watches of their own: without waiting a pod may be looked at before there are nodes.
    private async Task AddAsync(Node node)
    {
        var before = _scheduler.Nodes;
        _api.Set(node);
        await Eventually.TrueAsync(() => _scheduler.Nodes > before);
    }

    [Fact]
    public async Task A_pod_is_bound_to_a_node_and_an_event_says_so()
    {
        await AddAsync(Sample.Node("a"));
        _api.Set(Sample.Pod("p", "1"));

        await Eventually.TrueAsync(() => _api.NodeOf("p") == "a" && !_api.Events.IsEmpty);

        var @event = _api.Events.Single();
        Assert.Equal("Scheduled", (string?)@event["reason"]);
        Assert.Equal("Normal", (string?)@event["type"]);
        Assert.Equal("Successfully assigned default/p to a", (string?)@event["message"]);
        Assert.Equal("default/p", (string?)@event["involvedObject"]!["uid"]);
        var attempt = _scheduler.Attempts.Find("default/p")!;
        Assert.Equal("a", attempt.Node);
        Assert.Contains(attempt.Scores, one => one.Plugin == "FreeResources");
    }

    [Fact]
    public async Task A_pod_without_a_node_says_why_once_and_is_placed_when_room_comes()
    {
        await AddAsync(Sample.Node("a", cpu: "1"));
        _api.Set(Sample.Pod("p", "2"));

        await Eventually.TrueAsync(() => !_api.Conditions.IsEmpty && !_api.Events.IsEmpty);
        var (_, condition) = _api.Conditions.Single();
        Assert.Equal("PodScheduled", (string?)condition["type"]);
        Assert.Equal("False", (string?)condition["status"]);
        Assert.Equal("Unschedulable", (string?)condition["reason"]);
        Assert.Equal("0/1 nodes are available: 1 Insufficient cpu.", (string?)condition["message"]);
        Assert.Equal("FailedScheduling", (string?)_api.Events.Single()["reason"]);
        Assert.Equal("Warning", (string?)_api.Events.Single()["type"]);
        var refusal = Assert.Single(Assert.Single(_scheduler.Attempts.Find("default/p")!.Nodes).Refusals);
        Assert.Equal(("NodeResourcesFit", "Insufficient cpu"), (refusal.Plugin, refusal.Reasons[0]));

        // The condition comes back by the watch and must not set off another decision.
        Assert.Equal(1, _scheduler.Waiting.Unschedulable);

        await AddAsync(Sample.Node("b", cpu: "4"));
        await Eventually.TrueAsync(() => _scheduler.Waiting.BackedOff == 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => _api.NodeOf("p") == "b");
        Assert.Single(_api.Conditions);
    }

    [Fact]
    public async Task Room_that_a_pod_leaves_goes_to_the_one_that_waits()
    {
        await AddAsync(Sample.Node("a", cpu: "1"));
        _api.Set(Sample.Pod("first", "1"));
        await Eventually.TrueAsync(() => _api.NodeOf("first") == "a");
        _api.Set(Sample.Pod("second", "1"));
        await Eventually.TrueAsync(() => _scheduler.Waiting.Unschedulable == 1);

        _api.Delete("pods", "first");

        await Eventually.TrueAsync(() => _scheduler.Waiting.BackedOff == 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => _api.NodeOf("second") == "a");
    }

    [Fact]
    public async Task A_pod_of_higher_priority_gets_room_by_the_going_of_lower_ones()
    {
        await AddAsync(Sample.Node("a", cpu: "2"));
        _api.Set(Sample.Pod("keep", "1").Spec(spec => spec with { Priority = 5 }));
        await Eventually.TrueAsync(() => _api.NodeOf("keep") == "a");
        _api.Set(Sample.Pod("low", "1"));
        await Eventually.TrueAsync(() => _api.NodeOf("low") == "a");

        _api.Set(Sample.Pod("high", "1").Spec(spec => spec with { Priority = 10 }));

        await Eventually.TrueAsync(() => _api.Events.Any(e => (string?)e["reason"] == "Preempted"));
        var told = _api.Events.Single(e => (string?)e["reason"] == "Preempted");
        Assert.Equal(("low", "Preempted by pod default/high on node a"), ((string?)told["involvedObject"]!["name"], (string?)told["message"]));
        Assert.Contains(_api.Conditions, c => c.Pod == "low" && (string?)c.Condition["reason"] == "PreemptionByScheduler");
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _api.NodeOf("high") == "a";
        });
        Assert.Equal("a", _api.NodeOf("keep"));
    }

    [Fact]
    public async Task A_pod_that_has_ended_leaves_its_room()
    {
        await AddAsync(Sample.Node("a", cpu: "1"));
        _api.Set(Sample.Pod("job", "1"));
        await Eventually.TrueAsync(() => _api.NodeOf("job") == "a");

        var ended = Sample.Pod("job", "1").Spec(spec => spec with { NodeName = "a" });
        _api.Set(ended with { Status = new PodStatus { Phase = "Succeeded" } });
        _api.Set(Sample.Pod("next", "1"));

        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _api.NodeOf("next") == "a";
        });
    }

    [Fact]
    public async Task A_binding_that_fails_is_tried_again_and_holds_no_room_meanwhile()
    {
        _api.FailNextBinding(HttpStatusCode.InternalServerError);
        await AddAsync(Sample.Node("a", cpu: "1"));
        _api.Set(Sample.Pod("p", "1"));
        await Eventually.TrueAsync(() => _scheduler.Waiting.BackedOff == 1);
        Assert.Null(_api.NodeOf("p"));

        _time.Advance(TimeSpan.FromSeconds(1));

        await Eventually.TrueAsync(() => _api.NodeOf("p") == "a");
    }

    [Fact]
    public async Task Pods_of_another_scheduler_are_left_alone()
    {
        await AddAsync(Sample.Node("a"));
        _api.Set(Sample.Pod("theirs").Spec(spec => spec with { SchedulerName = "another" }));
        _api.Set(Sample.Pod("ours").Spec(spec => spec with { SchedulerName = "default-scheduler" }));

        await Eventually.TrueAsync(() => _api.NodeOf("ours") == "a");

        Assert.Null(_api.NodeOf("theirs"));
        Assert.Null(_scheduler.Attempts.Find("default/theirs"));
    }

    [Fact]
    public async Task A_gated_pod_waits_for_the_last_gate_to_go()
    {
        await AddAsync(Sample.Node("a"));
        _api.Set(Sample.Pod("p").Spec(spec => spec with { SchedulingGates = [new PodSchedulingGate { Name = "example.com/wait" }] }));
        await Eventually.TrueAsync(() => !_api.Conditions.IsEmpty);
        Assert.Equal("SchedulingGated", (string?)_api.Conditions.Single().Condition["reason"]);
        Assert.Empty(_api.Events);

        _api.Set(Sample.Pod("p"));

        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _api.NodeOf("p") == "a";
        });
    }

    [Fact]
    public async Task Two_hundred_pods_at_once_all_find_room_and_no_node_is_over_committed()
    {
        for (var i = 0; i < 10; i++)
            await AddAsync(Sample.Node($"n{i}", cpu: "10"));
        for (var i = 0; i < 200; i++)
            _api.Set(Sample.Pod($"p{i}", "500m"));

        await Eventually.TrueAsync(() => _api.Bindings.Count == 200);

        Assert.All(_api.Bindings.GroupBy(one => one.Node), group => Assert.Equal(20, group.Count()));
        Assert.Equal(200, _api.Bindings.Select(one => one.Pod).Distinct().Count());
        await Eventually.TrueAsync(() => _scheduler.Waiting == (0, 0, 0, 0));
    }

    [Fact]
    public async Task Namespaces_selected_by_label_count_for_pod_affinity()
    {
        _api.Set(new Namespace { Metadata = new ObjectMeta { Name = "data", Uid = "data", Labels = Sample.Map(("tier", "data")) } });
        await AddAsync(Sample.Node("a"));
        await AddAsync(Sample.Node("b"));
        _api.Set(Sample.Pod("db", @namespace: "data", labels: ("app", "db")).Spec(spec => spec with { NodeName = "b" }));
        _api.Set(Sample.Pod("p").Spec(spec => spec with
        {
            Affinity = new Affinity
            {
                PodAffinity = new PodAffinity
                {
                    RequiredDuringSchedulingIgnoredDuringExecution =
                    [
                        Sample.Term("kubernetes.io/hostname", ("app", "db")) with { NamespaceSelector = new LabelSelector { MatchLabels = Sample.Map(("tier", "data")) } },
                    ],
                },
            },
        }));

        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _api.NodeOf("p") == "b";
        });
    }
}
