using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Scheduling.Model;
using Weft.Control.Scheduling.Plugins;

namespace Weft.Control.Tests.Scheduling;

public sealed class DomainIndexTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Counts_kept_from_pod_to_pod_are_those_of_a_count_from_the_start(int seed)
    {
        var random = Weft.Testing.Seeded.Random(seed);
        var cache = new ClusterCache(new ResourceNames());
        var index = new DomainIndex();
        var asking = new PodInfo(Spreading("asking", "web"));
        var constraint = Assert.Single(asking.Spread);

        for (var step = 0; step < 400; step++)
        {
            var node = $"n{random.Next(150)}";
            switch (random.Next(4))
            {
                case 0:
                    cache.SetNode(Sample.Node(node, labels: random.Next(8) == 0 ? [] : [("zone", $"z{random.Next(4)}")]));
                    break;
                case 1 when step % 3 == 0:
                    cache.RemoveNode(node);
                    break;
                default:
                    cache.SetPod(new PodInfo(Spreading($"p{random.Next(200)}", random.Next(2) == 0 ? "web" : "other")), node);
                    break;
            }

            if (random.Next(3) > 0)
                continue; // several changes between two looks
            var kept = index.Of(constraint, asking, cache.Snapshot);
            var anew = new DomainIndex().Of(constraint, asking, cache.Snapshot);
            Assert.Equal((anew.Number, anew.Least), (kept.Number, kept.Least));
            for (var zone = 0; zone < 4; zone++)
                Assert.Equal(anew.Count($"z{zone}"), kept.Count($"z{zone}"));
        }
    }

    [Fact]
    public void Constraints_that_select_other_pods_are_counted_apart()
    {
        var cache = new ClusterCache(new ResourceNames());
        cache.SetNode(Sample.Node("n", labels: ("zone", "z")));
        cache.SetPod(new PodInfo(Spreading("a", "web")), "n");
        var index = new DomainIndex();
        foreach (var (app, count) in ((string, int)[])[("web", 1), ("other", 0), ("web", 1)])
        {
            var pod = new PodInfo(Spreading("asking", app));
            Assert.Equal(count, index.Of(pod.Spread[0], pod, cache.Snapshot).Count("z"));
        }
    }

    private static Pod Spreading(string name, string app) => Sample.Pod(name, labels: ("app", app)).Spec(spec => spec with
    {
        TopologySpreadConstraints =
        [
            new TopologySpreadConstraint
            {
                MaxSkew = 1, TopologyKey = "zone", WhenUnsatisfiable = "DoNotSchedule",
                LabelSelector = new LabelSelector { MatchLabels = Sample.Map(("app", app)) },
            },
        ],
    });
}
