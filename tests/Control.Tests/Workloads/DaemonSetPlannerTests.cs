using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads;

public sealed class DaemonSetPlannerTests
{
    private static readonly Node[] Three = [Node("n1"), Node("n2"), Node("n3")];

    private static Node Node(string name, params Taint[] taints) => new()
    {
        Metadata = new ObjectMeta { Name = name, Labels = new Dictionary<string, string> { ["kubernetes.io/hostname"] = name } },
        Spec = new NodeSpec { Taints = taints },
    };

    private static DaemonSet Set(IntOrString? missing = null, IntOrString? surge = null, string strategy = "RollingUpdate", Func<PodSpec, PodSpec>? pods = null, int minReady = 0)
    {
        var template = Make.Template();
        return new()
        {
            Metadata = new ObjectMeta { Name = "agent", Namespace = "default", Uid = "uid-agent", Generation = 2 },
            Spec = new DaemonSetSpec
            {
                Selector = Make.Select(), Template = template with { Spec = (pods ?? (spec => spec))(template.Spec) }, MinReadySeconds = minReady,
                UpdateStrategy = new DaemonSetUpdateStrategy
                {
                    Type = strategy, RollingUpdate = strategy == "OnDelete" ? null : new RollingUpdateDaemonSet { MaxUnavailable = missing ?? 1, MaxSurge = surge },
                },
            },
        };
    }

    private static Pod Pod(DaemonSet set, string node, string hash = "new", bool ready = true, string phase = "Running", bool terminating = false, TimeSpan? readyFor = null)
    {
        var pod = DaemonPods.New(set, node, hash);
        return pod with
        {
            Metadata = pod.Metadata with { Name = $"{hash}-{node}", Uid = $"uid-{hash}-{node}", CreationTimestamp = Make.Now.AddHours(hash == "new" ? -1 : -2), DeletionTimestamp = terminating ? Make.Now : null },
            Spec = pod.Spec with { NodeName = node },
            Status = new PodStatus
            {
                Phase = phase,
                Conditions = [new PodCondition { Type = "Ready", Status = ready ? "True" : "False", LastTransitionTime = Make.Now - (readyFor ?? TimeSpan.FromHours(1)) }],
            },
        };
    }

    private static string Steps(DaemonSet set, IReadOnlyList<Node> nodes, params Pod[] pods)
    {
        var plan = DaemonSetPlanner.Plan(set, nodes, pods, "new", Make.Now);
        return string.Join(' ', plan.Create.Select(node => "+" + node).Concat(plan.Delete.Select(pod => "-" + pod.Metadata.Name).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Each_node_gets_one_pod_and_a_node_that_is_gone_loses_its_own()
    {
        var set = Set();
        Assert.Equal("+n1 +n2 +n3", Steps(set, Three));
        Assert.Equal("+n2", Steps(set, Three, Pod(set, "n1"), Pod(set, "n3")));
        Assert.Equal("", Steps(set, Three, Pod(set, "n1"), Pod(set, "n2"), Pod(set, "n3")));
        Assert.Equal("-new-n9", Steps(set, [Node("n1")], Pod(set, "n1"), Pod(set, "n9")));
    }

    [Fact]
    public void A_pod_that_has_ended_makes_room_and_one_that_stops_is_waited_for()
    {
        var set = Set();
        Assert.Equal("-new-n1", Steps(set, [Node("n1")], Pod(set, "n1", phase: "Failed")));
        Assert.Equal("", Steps(set, [Node("n1")], Pod(set, "n1", terminating: true)));
    }

    [Fact]
    public void A_cordoned_or_troubled_node_keeps_its_daemon_and_a_taint_of_the_user_keeps_it_away()
    {
        var set = Set();
        Node[] nodes =
        [
            Node("cordoned", new Taint { Key = "node.kubernetes.io/unschedulable", Effect = "NoSchedule" }),
            Node("lost", new Taint { Key = "node.kubernetes.io/unreachable", Effect = "NoExecute" }),
            Node("mine", new Taint { Key = "team", Value = "blue", Effect = "NoSchedule" }),
        ];
        Assert.Equal("+cordoned +lost", Steps(set, nodes));
        var tolerant = Set(pods: spec => spec with { Tolerations = [new Toleration { Key = "team", Operator = "Exists" }] });
        Assert.Equal("+cordoned +lost +mine", Steps(tolerant, nodes));
    }

    [Fact]
    public void A_taint_drives_a_running_daemon_away_only_when_it_says_NoExecute()
    {
        var set = Set();
        Assert.Equal("", Steps(set, [Node("n1", new Taint { Key = "team", Effect = "NoSchedule" })], Pod(set, "n1")));
        Assert.Equal("-new-n1", Steps(set, [Node("n1", new Taint { Key = "team", Effect = "NoExecute" })], Pod(set, "n1")));
        Assert.Equal(1, DaemonSetPlanner.Plan(set, [Node("n1", new Taint { Key = "team", Effect = "NoSchedule" })], [Pod(set, "n1")], "new", Make.Now).Status.NumberMisscheduled);
    }

    [Fact]
    public void A_node_selector_that_no_longer_matches_takes_the_pod_away()
    {
        var set = Set(pods: spec => spec with { NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "n2" } });
        Assert.Equal("+n2 -new-n1", Steps(set, Three, Pod(set, "n1")));
    }

    [Fact]
    public void An_update_goes_on_while_few_enough_nodes_are_without_a_pod()
    {
        var set = Set();
        Assert.Equal("-old-n1", Steps(set, Three, Pod(set, "n1", "old"), Pod(set, "n2", "old"), Pod(set, "n3", "old")));
        Assert.Equal("", Steps(set, Three, Pod(set, "n1", ready: false), Pod(set, "n2", "old"), Pod(set, "n3", "old")));
        Assert.Equal("-old-n2", Steps(set, Three, Pod(set, "n1"), Pod(set, "n2", "old"), Pod(set, "n3", "old")));
        Assert.Equal("-old-n1 -old-n2", Steps(Set(missing: "50%"), Three, Pod(set, "n1", "old"), Pod(set, "n2", "old"), Pod(set, "n3", "old")));
        // What serves nobody costs nothing to replace.
        Assert.Equal("-old-n1 -old-n2", Steps(set, Three, Pod(set, "n1", "old", ready: false), Pod(set, "n2", "old", ready: false), Pod(set, "n3", "old")));
    }

    [Fact]
    public void With_a_surge_the_new_pod_comes_first_and_the_old_one_goes_when_it_is_available()
    {
        var set = Set(missing: 0, surge: 1);
        Assert.Equal("+n1", Steps(set, Three, Pod(set, "n1", "old"), Pod(set, "n2", "old"), Pod(set, "n3", "old")));
        Assert.Equal("", Steps(set, Three, Pod(set, "n1", "old"), Pod(set, "n1", ready: false), Pod(set, "n2", "old"), Pod(set, "n3", "old")));
        Assert.Equal("-old-n1", Steps(set, Three, Pod(set, "n1", "old"), Pod(set, "n1"), Pod(set, "n2", "old"), Pod(set, "n3", "old")).Replace("+n2 ", "", StringComparison.Ordinal));
    }

    [Fact]
    public void A_surge_in_percent_is_of_the_nodes_that_should_run_the_pod()
    {
        var set = Set(missing: 0, surge: "50%", pods: spec => spec with { NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "n1" } });
        Node[] nodes = [Node("n1"), Node("n2"), Node("n3"), Node("n4")];
        Assert.Equal("+n1", Steps(set, nodes, Pod(set, "n1", "old")));
        var both = Set(missing: 0, surge: "50%", pods: spec => spec with { Tolerations = [] });
        Node[] tainted = [Node("n1"), Node("n2"), Node("n3", new Taint { Key = "a", Effect = "NoSchedule" }), Node("n4", new Taint { Key = "a", Effect = "NoSchedule" })];
        Assert.Equal("+n1", Steps(both, tainted, Pod(both, "n1", "old"), Pod(both, "n2", "old")));
    }

    [Fact]
    public void OnDelete_waits_for_the_user()
    {
        var set = Set(strategy: "OnDelete");
        Assert.Equal("", Steps(set, Three, Pod(set, "n1", "old"), Pod(set, "n2", "old"), Pod(set, "n3", "old")));
        Assert.Equal("+n1", Steps(set, Three, Pod(set, "n2", "old"), Pod(set, "n3", "old")));
    }

    [Fact]
    public void The_status_counts_nodes_and_looks_again_when_a_pod_becomes_available_by_time()
    {
        var set = Set(minReady: 10);
        var plan = DaemonSetPlanner.Plan(set, Three, [Pod(set, "n1"), Pod(set, "n2", readyFor: TimeSpan.FromSeconds(4)), Pod(set, "n3", "old", ready: false)], "new", Make.Now);

        Assert.Equal((3, 3, 2, 1, 2), (plan.Status.DesiredNumberScheduled, plan.Status.CurrentNumberScheduled, plan.Status.NumberReady, plan.Status.NumberAvailable, plan.Status.UpdatedNumberScheduled));
        Assert.Equal((2, 2L), (plan.Status.NumberUnavailable, plan.Status.ObservedGeneration));
        Assert.Equal(TimeSpan.FromSeconds(6), plan.LookAgainIn);
    }

    [Fact]
    public void A_set_that_is_being_deleted_makes_and_removes_nothing()
    {
        var set = Set();
        Assert.Equal("", Steps(set with { Metadata = set.Metadata with { DeletionTimestamp = Make.Now } }, Three, Pod(set, "n9")));
    }

    [Fact]
    public void A_failed_pod_is_replaced_when_its_nodes_back_off_is_over_and_one_that_succeeded_at_once()
    {
        var set = Set();
        var until = new Dictionary<string, DateTimeOffset> { ["n1"] = Make.Now.AddSeconds(4), ["n2"] = Make.Now };
        var pods = new[] { Pod(set, "n1", phase: "Failed"), Pod(set, "n2", phase: "Failed"), Pod(set, "n3", phase: "Succeeded") };

        var plan = DaemonSetPlanner.Plan(set, Three, pods, "new", Make.Now, until);

        Assert.Equal(["new-n2", "new-n3"], plan.Delete.Select(pod => pod.Metadata.Name).Order(StringComparer.Ordinal));
        Assert.Empty(plan.Create);
        Assert.Equal(TimeSpan.FromSeconds(4), plan.LookAgainIn);
        Assert.Equal((3, 0), (plan.Status.DesiredNumberScheduled, plan.Status.CurrentNumberScheduled));
        var after = DaemonSetPlanner.Plan(set, Three, pods, "new", Make.Now.AddSeconds(4), until);
        Assert.Contains(after.Delete, pod => pod.Metadata.Name == "new-n1");
    }
}
