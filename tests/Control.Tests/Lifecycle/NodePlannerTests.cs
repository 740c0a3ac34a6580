using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Lifecycle;

namespace Weft.Control.Tests.Lifecycle;

public class NodePlannerTests
{
    private static readonly Taint Unreachable = new() { Key = "node.kubernetes.io/unreachable", Effect = "NoExecute", TimeAdded = Make.Now };

    private static Node Node(string? ready = "True", bool cordoned = false, string? pressure = null, params Taint[] taints)
    {
        var conditions = new List<NodeCondition>();
        if (ready is not null)
            conditions.Add(new NodeCondition { Type = "Ready", Status = ready, LastTransitionTime = Make.Now });
        if (pressure is not null)
            conditions.Add(new NodeCondition { Type = pressure, Status = "True" });
        return new Node
        {
            Metadata = new ObjectMeta { Name = "n" },
            Spec = new NodeSpec { Unschedulable = cordoned ? true : null, Taints = taints },
            Status = new NodeStatus { Conditions = conditions },
        };
    }

    private static string Taints(Node node, bool evict = true) => string.Join(
        ' ', NodeTaints.Plan(node, node.Status.Conditions, evict, Make.Now).Select(taint => $"{taint.Key.Split('/')[^1]}:{taint.Effect}").Order());

    [Fact]
    public void Taints_follow_the_conditions_and_leave_those_of_others_alone()
    {
        Assert.Equal("", Taints(Node()));
        Assert.Equal("not-ready:NoExecute not-ready:NoSchedule", Taints(Node("False")));
        Assert.Equal("unreachable:NoExecute unreachable:NoSchedule", Taints(Node("Unknown")));
        Assert.Equal("not-ready:NoExecute not-ready:NoSchedule", Taints(Node(ready: null)));
        Assert.Equal("unreachable:NoSchedule", Taints(Node("Unknown", taints: Unreachable), evict: false));
        Assert.Equal("memory-pressure:NoSchedule unschedulable:NoSchedule", Taints(Node(cordoned: true, pressure: "MemoryPressure")));
        Assert.Equal("gpu:NoExecute", Taints(Node(taints: [Unreachable, new Taint { Key = "gpu", Effect = "NoExecute" }])));
    }

    [Fact]
    public void A_taint_that_stays_keeps_its_time()
    {
        var node = Node("Unknown", taints: Unreachable);
        var planned = NodeTaints.Plan(node, node.Status.Conditions, evict: true, Make.Now.AddHours(1));
        Assert.Equal(Make.Now, planned.Single(taint => taint.Effect == "NoExecute").TimeAdded);
    }

    [Fact]
    public void Silence_is_measured_against_the_grace_and_a_newcomer_has_more()
    {
        Assert.False(NodeHealthPlanner.IsSilent(Node(), TimeSpan.FromSeconds(40), NodeGrace.Default));
        Assert.True(NodeHealthPlanner.IsSilent(Node(), TimeSpan.FromSeconds(41), NodeGrace.Default));
        Assert.False(NodeHealthPlanner.IsSilent(Node(ready: null), TimeSpan.FromSeconds(59), NodeGrace.Default));

        var unknown = NodeHealthPlanner.Plan(Node(), silent: true, Make.Now.AddMinutes(1));
        Assert.All(unknown, condition => Assert.Equal("Unknown", condition.Status));
        Assert.Equal(["DiskPressure", "MemoryPressure", "PIDPressure", "Ready"], unknown.Select(condition => condition.Type).Order());
        Assert.Equal("NodeStatusUnknown", unknown.Single(condition => condition.Type == "Ready").Reason);
        Assert.Equal("NodeStatusNeverUpdated", NodeHealthPlanner.Plan(Node(ready: null), silent: true, Make.Now)[0].Reason);
    }

    public static TheoryData<string, Toleration[], double?> Evictions => new()
    {
        { "none", [], double.NegativeInfinity },
        { "for ever", [new Toleration { Key = Unreachable.Key, Operator = "Exists" }], null },
        { "everything, for ever", [new Toleration { Operator = "Exists" }], null },
        { "another effect", [new Toleration { Key = Unreachable.Key, Operator = "Exists", Effect = "NoSchedule" }], double.NegativeInfinity },
        { "another value", [new Toleration { Key = Unreachable.Key, Operator = "Equal", Value = "x" }], double.NegativeInfinity },
        { "the same value", [new Toleration { Key = Unreachable.Key, Operator = "Equal", Value = "" }], null },
        { "a while", [new Toleration { Key = Unreachable.Key, Operator = "Exists", TolerationSeconds = 300 }], 300 },
        { "the shorter of two", [new Toleration { Key = Unreachable.Key, Operator = "Exists", TolerationSeconds = 300 }, new Toleration { Operator = "Exists", TolerationSeconds = 20 }], 20 },
        { "not at all", [new Toleration { Key = Unreachable.Key, Operator = "Exists", TolerationSeconds = -5 }], 0 },
    };

    [Theory, MemberData(nameof(Evictions))]
    public void A_pod_leaves_when_it_no_longer_tolerates(string what, Toleration[] tolerations, double? seconds)
    {
        Assert.NotEmpty(what);
        var pod = Make.Pod("p");
        pod = pod with { Spec = pod.Spec with { Tolerations = tolerations } };
        var at = EvictionPlanner.EvictAt(pod, [Unreachable], notBefore: DateTimeOffset.MinValue);
        Assert.Equal(seconds switch { null => null, double.NegativeInfinity => DateTimeOffset.MinValue, _ => Make.Now.AddSeconds(seconds.Value) }, at);
    }

    [Fact]
    public void Tolerated_time_does_not_run_while_we_sleep()
    {
        var pod = Make.Pod("p");
        pod = pod with { Spec = pod.Spec with { Tolerations = [new Toleration { Operator = "Exists", TolerationSeconds = 300 }] } };
        var woke = Make.Now.AddHours(8);
        Assert.Equal(woke.AddSeconds(300), EvictionPlanner.EvictAt(pod, [Unreachable], notBefore: woke));
    }

    [Fact]
    public void A_pause_is_seen_in_either_clock_and_a_late_tick_is_none()
    {
        var period = TimeSpan.FromSeconds(5);
        var detector = new PauseDetector(period);
        var (wall, monotonic) = (Make.Now, TimeSpan.FromHours(1));
        Assert.False(Tick(0, 0));
        Assert.False(Tick(5, 5));
        Assert.False(Tick(12, 12));    // a loaded machine
        Assert.False(Tick(5.5, 5));    // a corrected clock
        Assert.True(Tick(3600, 5));    // the machine slept
        Assert.False(Tick(5, 5));
        Assert.True(Tick(60, 60));     // the process was stopped
        Assert.False(Tick(-3600, 5));  // the clock was set back: nobody's silence grew by it

        bool Tick(double wallSeconds, double monotonicSeconds)
        {
            (wall, monotonic) = (wall.AddSeconds(wallSeconds), monotonic + TimeSpan.FromSeconds(monotonicSeconds));
            return detector.Tick(wall, monotonic);
        }
    }

    [Fact]
    public void The_oldest_finished_pods_go_beyond_the_limit()
    {
        Pod[] pods =
        [
            Make.Pod("young", phase: "Failed", age: TimeSpan.FromMinutes(1)), Make.Pod("old", phase: "Succeeded", age: TimeSpan.FromDays(9)),
            Make.Pod("middle", phase: "Failed", age: TimeSpan.FromHours(3)), Make.Pod("running"),
        ];
        Assert.Equal(["old", "middle"], PodGarbagePlanner.Superfluous(pods, limit: 1).Select(pod => pod.Metadata.Name));
        Assert.Empty(PodGarbagePlanner.Superfluous(pods, limit: 3));
        Assert.Equal("x", Assert.Single(PodGarbagePlanner.NeverPlaced([.. pods, Make.Pod("x", node: null, terminating: true)])).Metadata.Name);
    }
}
