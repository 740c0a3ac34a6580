using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;

namespace Weft.Control.Tests.Scheduling;

/// <summary>Each filter through the whole core: what people see is the message.</summary>
public sealed class FilterTests
{
    private const string Mismatch = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";

    [Theory]
    [InlineData("4", "8Gi", "a")]
    [InlineData("4001m", null, "0/1 nodes are available: 1 Insufficient cpu.")]
    [InlineData(null, "8193Mi", "0/1 nodes are available: 1 Insufficient memory.")]
    [InlineData("5", "9Gi", "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.")]
    public void Requests_must_fit(string? cpu, string? memory, string expected) =>
        Assert.Equal(expected, new SampleCluster(Sample.Node("a")).Where(Sample.Pod("p", cpu, memory)));

    [Fact]
    public void What_runs_on_a_node_is_no_longer_free()
    {
        var cluster = new SampleCluster(Sample.Node("a")).Running("a", Sample.Pod("old", "3"));

        Assert.Equal("a", cluster.Where(Sample.Pod("p", "1")));
        Assert.Equal("0/1 nodes are available: 1 Insufficient cpu.", cluster.Where(Sample.Pod("p", "1001m")));
    }

    [Fact]
    public void A_pod_that_asks_for_nothing_fits_on_a_full_node()
    {
        var cluster = new SampleCluster(Sample.Node("a")).Running("a", Sample.Pod("old", "4", "8Gi"));

        Assert.Equal("a", cluster.Where(Sample.Pod("p")));
    }

    [Fact]
    public void A_node_takes_no_more_pods_than_it_says()
    {
        var cluster = new SampleCluster(Sample.Node("a", pods: "2")).Running("a", Sample.Pod("x"), Sample.Pod("y"));

        Assert.Equal("0/1 nodes are available: 1 Too many pods.", cluster.Where(Sample.Pod("p")));
    }

    [Fact]
    public void Ephemeral_storage_and_extended_resources_must_fit()
    {
        var gpu = Sample.Pod("p").Spec(spec => spec with { Containers = [Sample.Container(others: ("example.com/gpu", "2"))] });
        var disk = Sample.Pod("p").Spec(spec => spec with { Containers = [Sample.Container(others: ("ephemeral-storage", "101Gi"))] });

        Assert.Equal("0/1 nodes are available: 1 Insufficient example.com/gpu.", new SampleCluster(Sample.Node("a")).Where(gpu));
        Assert.Equal("b", new SampleCluster(Sample.Node("a"), Sample.Node("b").Offering("example.com/gpu", "2")).Where(gpu));
        Assert.Equal("0/1 nodes are available: 1 Insufficient ephemeral-storage.", new SampleCluster(Sample.Node("a")).Where(disk));
    }

    [Fact]
    public void Extended_resources_of_running_pods_are_counted()
    {
        var gpu = Sample.Pod("p").Spec(spec => spec with { Containers = [Sample.Container(others: ("example.com/gpu", "1"))] });
        var cluster = new SampleCluster(Sample.Node("a").Offering("example.com/gpu", "1")).Running("a", gpu with { Metadata = gpu.Metadata with { Uid = "other" } });

        Assert.Equal("0/1 nodes are available: 1 Insufficient example.com/gpu.", cluster.Where(gpu));
    }

    [Fact]
    public void A_cordoned_node_is_left_alone_unless_that_is_tolerated()
    {
        var node = Sample.Node("a") with { Spec = new NodeSpec { Unschedulable = true } };
        var pod = Sample.Pod("p");

        Assert.Equal("0/1 nodes are available: 1 node(s) were unschedulable.", new SampleCluster(node).Where(pod));
        Assert.Equal("a", new SampleCluster(node).Where(pod.Spec(spec => spec with
        {
            Tolerations = [new Toleration { Key = "node.kubernetes.io/unschedulable", Operator = "Exists" }],
        })));
    }

    [Theory]
    [InlineData("team", "Equal", "red", "NoSchedule", true)]
    [InlineData("team", null, "red", null, true)]
    [InlineData("team", "Exists", null, null, true)]
    [InlineData(null, "Exists", null, null, true)]
    [InlineData("team", "Equal", "blue", null, false)]
    [InlineData("other", "Exists", null, null, false)]
    [InlineData("team", "Equal", "red", "NoExecute", false)]
    [InlineData(null, "Equal", "red", null, false)]
    public void Taints_keep_away_what_does_not_tolerate_them(string? key, string? @operator, string? value, string? effect, bool tolerated)
    {
        var cluster = new SampleCluster(Sample.Node("a").With(Sample.Taint("team", "red")));
        var pod = Sample.Pod("p").Spec(spec => spec with { Tolerations = [new Toleration { Key = key, Operator = @operator, Value = value, Effect = effect }] });

        Assert.Equal(tolerated ? "a" : "0/1 nodes are available: 1 node(s) had untolerated taint {team: red}.", cluster.Where(pod));
    }

    [Fact]
    public void The_node_selector_must_match()
    {
        var cluster = new SampleCluster(Sample.Node("a", labels: ("disk", "ssd")));

        Assert.Equal("a", cluster.Where(Sample.Pod("p").Spec(spec => spec with { NodeSelector = Sample.Map(("disk", "ssd")) })));
        Assert.Equal(Mismatch, cluster.Where(Sample.Pod("p").Spec(spec => spec with { NodeSelector = Sample.Map(("disk", "hdd")) })));
    }

    [Theory]
    [InlineData("In", "zone", "x,y", true)]
    [InlineData("In", "zone", "y", false)]
    [InlineData("In", "absent", "y", false)]
    [InlineData("NotIn", "zone", "y", true)]
    [InlineData("NotIn", "zone", "x", false)]
    [InlineData("NotIn", "absent", "x", true)]
    [InlineData("Exists", "zone", "", true)]
    [InlineData("Exists", "absent", "", false)]
    [InlineData("DoesNotExist", "absent", "", true)]
    [InlineData("DoesNotExist", "zone", "", false)]
    [InlineData("Gt", "cores", "7", true)]
    [InlineData("Gt", "cores", "8", false)]
    [InlineData("Lt", "cores", "9", true)]
    [InlineData("Lt", "cores", "8", false)]
    [InlineData("Gt", "zone", "7", false)]
    [InlineData("Gt", "absent", "7", false)]
    [InlineData("Gt", "cores", "many", false)]
    [InlineData("Lt", "cores", "9,10", false)]
    [InlineData("Unheard", "zone", "x", false)]
    public void Every_operator_of_node_affinity_does_what_its_name_says(string @operator, string key, string values, bool matches)
    {
        var cluster = new SampleCluster(Sample.Node("a", labels: [("zone", "x"), ("cores", "8")]));
        var term = new NodeSelectorTerm
        {
            MatchExpressions = [new NodeSelectorRequirement { Key = key, Operator = @operator, Values = values.Length == 0 ? [] : values.Split(',') }],
        };

        Assert.Equal(matches ? "a" : Mismatch, cluster.Where(Requiring(term)));
    }

    [Fact]
    public void Terms_are_alternatives_and_an_empty_term_matches_nothing()
    {
        var cluster = new SampleCluster(Sample.Node("a", labels: ("zone", "x")));
        var wrong = new NodeSelectorTerm { MatchExpressions = [new NodeSelectorRequirement { Key = "zone", Operator = "In", Values = ["y"] }] };
        var right = new NodeSelectorTerm { MatchExpressions = [new NodeSelectorRequirement { Key = "zone", Operator = "In", Values = ["x"] }] };

        Assert.Equal("a", cluster.Where(Requiring(wrong, right)));
        Assert.Equal(Mismatch, cluster.Where(Requiring(wrong)));
        Assert.Equal(Mismatch, cluster.Where(Requiring(new NodeSelectorTerm())));
        Assert.Equal(Mismatch, cluster.Where(Requiring()));
    }

    [Fact]
    public void Match_fields_select_by_the_name_of_the_node()
    {
        var cluster = new SampleCluster([.. Enumerable.Range(0, 300).Select(i => Sample.Node($"n{i}"))]);
        var named = new NodeSelectorTerm { MatchFields = [new NodeSelectorRequirement { Key = "metadata.name", Operator = "In", Values = ["n217"] }] };
        var unknownField = new NodeSelectorTerm { MatchFields = [new NodeSelectorRequirement { Key = "spec.podCIDR", Operator = "In", Values = ["n217"] }] };

        var placed = Assert.IsType<SchedulingResult.Placed>(cluster.Ask(Requiring(named)));
        Assert.Equal("n217", placed.Node);
        Assert.Equal(1, placed.Evaluated);
        Assert.StartsWith("0/300 nodes are available: 300 node(s) didn't match", cluster.Where(Requiring(unknownField)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8080, "TCP", null, false)]
    [InlineData(8080, "UDP", null, true)]
    [InlineData(8081, "TCP", null, true)]
    [InlineData(8080, "TCP", "127.0.0.1", false)]
    public void A_host_port_is_given_once(int port, string protocol, string? address, bool free)
    {
        var cluster = new SampleCluster(Sample.Node("a")).Running("a", WithPort(8080, "TCP", null));

        Assert.Equal(
            free ? "a" : "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
            cluster.Where(WithPort(port, protocol, address) with { Metadata = new ObjectMeta { Name = "q", Uid = "q" } }));
    }

    [Fact]
    public void Two_addresses_can_have_the_same_port()
    {
        var cluster = new SampleCluster(Sample.Node("a")).Running("a", WithPort(8080, "TCP", "127.0.0.1"));

        Assert.Equal("a", cluster.Where(WithPort(8080, "TCP", "127.0.0.2") with { Metadata = new ObjectMeta { Name = "q", Uid = "q" } }));
    }

    [Fact]
    public void Scheduling_gates_hold_a_pod_back()
    {
        var gated = Sample.Pod("p").Spec(spec => spec with { SchedulingGates = [new PodSchedulingGate { Name = "example.com/wait" }] });

        Assert.Equal("Scheduling is blocked due to non-empty scheduling gates", new SampleCluster(Sample.Node("a")).Where(gated));
    }

    [Fact]
    public void Pod_affinity_finds_company_and_the_first_of_a_group_may_go_anywhere()
    {
        var cluster = new SampleCluster(Sample.Node("a", labels: ("zone", "x")), Sample.Node("b", labels: ("zone", "y")))
            .Running("b", Sample.Pod("db", labels: ("app", "db")));

        Assert.Equal("b", cluster.Where(Sample.Pod("p").Near("zone", ("app", "db"))));
        Assert.Equal("0/2 nodes are available: 2 node(s) didn't match pod affinity rules.", cluster.Where(Sample.Pod("p").Near("zone", ("app", "none"))));
        Assert.Contains(cluster.Where(Sample.Pod("p", labels: ("app", "group")).Near("zone", ("app", "group"))), new[] { "a", "b" });
    }

    [Fact]
    public void Anti_affinity_keeps_away_in_both_directions()
    {
        var cluster = new SampleCluster(Sample.Node("a"))
            .Running("a", Sample.Pod("db", labels: ("app", "db")).Away("kubernetes.io/hostname", ("app", "web")));

        Assert.Equal("0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.", cluster.Where(Sample.Pod("p", labels: ("app", "web"))));
        Assert.Equal("a", cluster.Where(Sample.Pod("p", labels: ("app", "batch"))));
        Assert.Equal(
            "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
            cluster.Where(Sample.Pod("p", labels: ("app", "batch")).Away("kubernetes.io/hostname", ("app", "db"))));
    }

    [Fact]
    public void Pod_affinity_stays_in_its_namespace_unless_told_otherwise()
    {
        var cluster = new SampleCluster(Sample.Node("a")).Running("a", Sample.Pod("db", @namespace: "data", labels: ("app", "db")));
        cluster.Cache.SetNamespace("data", Sample.Map(("tier", "data")));
        var near = Sample.Pod("p").Near("kubernetes.io/hostname", ("app", "db"));

        Assert.NotEqual("a", cluster.Where(near));
        Assert.Equal("a", cluster.Where(Change(near, term => term with { Namespaces = ["data"] })));
        Assert.Equal("a", cluster.Where(Change(near, term => term with { NamespaceSelector = new LabelSelector { MatchLabels = Sample.Map(("tier", "data")) } })));
        Assert.NotEqual("a", cluster.Where(Change(near, term => term with { NamespaceSelector = new LabelSelector { MatchLabels = Sample.Map(("tier", "web")) } })));
    }

    [Fact]
    public void Pods_spread_over_domains_no_more_unevenly_than_allowed()
    {
        var cluster = new SampleCluster(Sample.Node("a", labels: ("zone", "x")), Sample.Node("b", labels: ("zone", "y")), Sample.Node("c"));
        var placed = Enumerable.Range(0, 6).Select(i => cluster.Place(Spreading($"p{i}"))).ToList();

        Assert.Equal(3, placed.Count(node => node == "a"));
        Assert.Equal(3, placed.Count(node => node == "b"));

        cluster.Cache.SetNode(Sample.Node("b", labels: ("zone", "y")).With(Sample.Taint("gone", "")));
        Assert.Contains(cluster.Place(Spreading("p6")), new[] { "a" });
        Assert.Equal(
            "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label), "
            + "1 node(s) had untolerated taint {gone: }.",
            cluster.Where(Spreading("p7")));
    }

    [Fact]
    public void The_message_counts_each_node_by_its_first_reason()
    {
        var cluster = new SampleCluster(
            Sample.Node("a", cpu: "1"), Sample.Node("b").With(Sample.Taint("key", "value")), Sample.Node("c").With(Sample.Taint("key", "value")));

        Assert.Equal(
            "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {key: value}.",
            cluster.Where(Sample.Pod("p", "2")));
        Assert.Equal("no nodes available to schedule pods", new SampleCluster().Where(Sample.Pod("p")));
    }

    [Fact]
    public void Every_refusal_of_every_node_is_explained()
    {
        var cluster = new SampleCluster(Sample.Node("a", cpu: "1").With(Sample.Taint("key", "value")), Sample.Node("b", cpu: "1"));

        var diagnosis = Assert.IsType<SchedulingResult.Unschedulable>(cluster.Ask(Sample.Pod("p", "2"))).Diagnosis;

        Assert.Equal(["TaintToleration", "NodeResourcesFit"], diagnosis.Verdicts.Single(one => one.Node == "a").Refusals.Select(one => one.Plugin));
        Assert.Equal(["NodeResourcesFit"], diagnosis.Verdicts.Single(one => one.Node == "b").Refusals.Select(one => one.Plugin));
        Assert.True(diagnosis.MayCure.HasFlag(ClusterEvents.NodeTaintsChanged | ClusterEvents.PodRemoved | ClusterEvents.NodeAdded));
        Assert.False(diagnosis.MayCure.HasFlag(ClusterEvents.NodeLabelsChanged));
    }

    private static Pod Requiring(params NodeSelectorTerm[] terms) => Sample.Pod("p").Spec(spec => spec with
    {
        Affinity = new Affinity { NodeAffinity = new NodeAffinity { RequiredDuringSchedulingIgnoredDuringExecution = new NodeSelector { NodeSelectorTerms = terms } } },
    });

    private static Pod WithPort(int port, string protocol, string? address) => Sample.Pod("p").Spec(spec => spec with
    {
        Containers = [new Container { Name = "main", Ports = [new ContainerPort { Port = 80, HostPort = port, Protocol = protocol, HostIP = address }] }],
    });

    private static Pod Change(Pod pod, Func<PodAffinityTerm, PodAffinityTerm> change) => pod.Spec(spec => spec with
    {
        Affinity = new Affinity
        {
            PodAffinity = new PodAffinity
            {
                RequiredDuringSchedulingIgnoredDuringExecution = [.. spec.Affinity!.PodAffinity!.RequiredDuringSchedulingIgnoredDuringExecution.Select(change)],
            },
        },
    });

    private static Pod Spreading(string name) => Sample.Pod(name, labels: ("app", "web")).Spec(spec => spec with
    {
        TopologySpreadConstraints =
        [
            new TopologySpreadConstraint
            {
                MaxSkew = 1, TopologyKey = "zone", WhenUnsatisfiable = "DoNotSchedule", LabelSelector = new LabelSelector { MatchLabels = Sample.Map(("app", "web")) },
            },
        ],
    });

    [Fact]
    public void A_claim_for_one_pod_keeps_other_pods_away_until_that_one_is_gone()
    {
        var user = Sample.Pod("p").Spec(spec => spec with { Volumes = [new Volume { Name = "d", PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = "data" } }] });
        var holder = user with { Metadata = user.Metadata with { Name = "holder", Uid = "holder" } };
        var volume = new PersistentVolume { Metadata = new ObjectMeta { Name = "v" } };
        var cluster = new SampleCluster(Sample.Node("a"), Sample.Node("b")).Running("a", holder);
        cluster.Cache.ChangeVolumes(facts => facts with
        {
            Claims = facts.Claims.Add(new ObjectKey(user.Metadata.Namespace ?? "", "data"), new PersistentVolumeClaim
            {
                Metadata = new ObjectMeta { Name = "data", Annotations = new Dictionary<string, string> { ["pv.kubernetes.io/bind-completed"] = "yes" } },
                Spec = new PersistentVolumeClaimSpec { AccessModes = ["ReadWriteOncePod"], VolumeName = "v" },
            }),
            Volumes = facts.Volumes.Add("v", volume),
        });

        Assert.Equal("0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.", cluster.Where(user));
        Assert.Contains(cluster.Where(Sample.Pod("other")), new[] { "a", "b" });
        Assert.Equal(ClusterEvents.PodRemoved, cluster.Cache.RemovePod("holder"));
        Assert.Contains(cluster.Where(user), new[] { "a", "b" });
    }
}
