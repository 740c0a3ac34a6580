using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;
using Weft.Control.Scheduling.Plugins;

namespace Weft.Control.Tests.Scheduling;

public sealed class ScoreTests
{
    private static readonly ResourceNames Names = new();

    [Fact]
    public void The_node_with_most_free_resources_wins()
    {
        var cluster = new SampleCluster(Sample.Node("a"), Sample.Node("b"), Sample.Node("c"))
            .Running("a", Sample.Pod("x", "2", "4Gi")).Running("c", Sample.Pod("y", "1", "1Gi"));

        Assert.Equal("b", cluster.Where(Sample.Pod("p", "1", "1Gi")));
    }

    [Theory]
    [InlineData("4", "8Gi", "1", "2Gi", 0.75)] // 3/4 and 6/8 are left
    [InlineData("4", "8Gi", "4", "8Gi", 0.0)]
    [InlineData("4", "8Gi", "2", "8Gi", 0.25)]
    [InlineData("4", "0", "2", "1Gi", 0.5)] // a node that offers no memory is judged by the rest
    [InlineData("0", "0", "2", "1Gi", 0.0)] // and one that offers nothing scores nothing
    public void The_score_is_the_mean_share_that_stays_free(string cpu, string memory, string podCpu, string podMemory, double expected) =>
        Assert.Equal(expected, Score(Sample.Pod("p", podCpu, podMemory), new NodeInfo(Sample.Node("a", cpu, memory), Names)), 9);

    [Fact]
    public void Disk_and_extended_resources_count_when_the_pod_asks_for_them()
    {
        var node = new NodeInfo(Sample.Node("a").Offering("example.com/gpu", "4"), Names);
        var pod = Sample.Pod("p").Spec(spec => spec with { Containers = [Sample.Container("2", "4Gi", ("example.com/gpu", "4"), ("ephemeral-storage", "50Gi"))] });

        Assert.Equal((0.5 + 0.5 + 0.5 + 0) / 4, Score(pod, node), 9);
    }

    [Fact]
    public void Pods_that_ask_for_nothing_do_not_pile_up()
    {
        var cluster = new SampleCluster(Sample.Node("a"), Sample.Node("b"), Sample.Node("c"));

        var placed = Enumerable.Range(0, 9).Select(i => cluster.Place(Sample.Pod($"p{i}"))).GroupBy(node => node);

        Assert.All(placed, group => Assert.Equal(3, group.Count()));
    }

    [Fact]
    public void More_load_never_scores_better()
    {
        var random = Weft.Testing.Seeded.Random(42);
        for (var round = 0; round < 2_000; round++)
        {
            var node = new NodeInfo(Sample.Node("a", $"{random.Next(0, 9)}", $"{random.Next(0, 9)}Gi").Offering("example.com/gpu", $"{random.Next(0, 3)}"), Names);
            var pod = RandomPod(random, "p");
            var before = Score(pod, node);
            for (var i = 0; i < 4; i++)
            {
                node = node.With(new PodInfo(RandomPod(random, $"load{i}")));
                var after = Score(pod, node);
                Assert.InRange(after, 0, before);
                before = after;
            }
        }
    }

    [Fact]
    public void Preferred_node_affinity_outweighs_free_resources()
    {
        var cluster = new SampleCluster(Sample.Node("a", labels: ("disk", "ssd")), Sample.Node("b")).Running("a", Sample.Pod("x", "3", "6Gi"));
        var pod = Sample.Pod("p", "500m", "1Gi").Spec(spec => spec with
        {
            Affinity = new Affinity
            {
                NodeAffinity = new NodeAffinity
                {
                    PreferredDuringSchedulingIgnoredDuringExecution =
                    [
                        new PreferredSchedulingTerm
                        {
                            Weight = 100,
                            Preference = new NodeSelectorTerm { MatchExpressions = [new NodeSelectorRequirement { Key = "disk", Operator = "In", Values = ["ssd"] }] },
                        },
                    ],
                },
            },
        });

        Assert.Equal("a", cluster.Where(pod));
        Assert.Equal("b", cluster.Where(Sample.Pod("q", "500m", "1Gi")));
    }

    [Fact]
    public void A_soft_taint_makes_a_node_the_second_choice()
    {
        var cluster = new SampleCluster(Sample.Node("a").With(Sample.Taint("key", "value", "PreferNoSchedule")), Sample.Node("b")).Running("b", Sample.Pod("x", "3", "6Gi"));

        Assert.Equal("b", cluster.Where(Sample.Pod("p", "500m")));
        Assert.Equal("a", cluster.Where(Sample.Pod("p", "500m").Spec(spec => spec with { Tolerations = [new Toleration { Operator = "Exists" }] })));
        Assert.Equal("a", cluster.Where(Sample.Pod("p", "2")));
    }

    [Fact]
    public void Preferred_pod_affinity_attracts_and_repels()
    {
        var cluster = new SampleCluster(Sample.Node("a"), Sample.Node("b")).Running("a", Sample.Pod("db", "1", labels: ("app", "db")));
        var term = new WeightedPodAffinityTerm { Weight = 100, PodAffinityTerm = Sample.Term("kubernetes.io/hostname", ("app", "db")) };

        Assert.Equal("a", cluster.Where(Sample.Pod("p").Spec(spec => spec with
        {
            Affinity = new Affinity { PodAffinity = new PodAffinity { PreferredDuringSchedulingIgnoredDuringExecution = [term] } },
        })));
        Assert.Equal("b", cluster.Where(Sample.Pod("p").Spec(spec => spec with
        {
            Affinity = new Affinity { PodAntiAffinity = new PodAntiAffinity { PreferredDuringSchedulingIgnoredDuringExecution = [term] } },
        })));
    }

    [Fact]
    public void Equal_nodes_share_the_load_by_chance()
    {
        var cluster = new SampleCluster(Sample.Node("a"), Sample.Node("b"), Sample.Node("c"));

        var chosen = Enumerable.Range(0, 300).Select(i => cluster.Where(Sample.Pod($"p{i}", "1"))).GroupBy(node => node).ToDictionary(group => group.Key, group => group.Count());

        Assert.Equal(3, chosen.Count);
        Assert.All(chosen.Values, count => Assert.InRange(count, 50, 150));
    }

    private static double Score(Pod pod, NodeInfo node)
    {
        var plugin = new FreeResources(Names);
        var info = new PodInfo(pod);
        return plugin.Score(info, node, plugin.PreScore(info, ClusterSnapshot.Empty).State);
    }

    private static Pod RandomPod(Random random, string name) => Sample.Pod(name).Spec(spec => spec with
    {
        Containers =
        [
            Sample.Container(
                random.Next(2) == 0 ? null : $"{random.Next(0, 3000)}m", random.Next(2) == 0 ? null : $"{random.Next(0, 3000)}Mi",
                random.Next(2) == 0 ? [] : [("example.com/gpu", $"{random.Next(0, 3)}")]),
        ],
    });
}
