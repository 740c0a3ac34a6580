using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;
using Weft.Control.Scheduling.Preemption;

namespace Weft.Control.Tests.Scheduling;

/// <summary>Who goes for whom, by tables and by what must hold in any cluster.</summary>
public sealed class PreemptionTests
{
    private static Pod Pod(string name, int priority, string cpu, int startedMinutesAgo = 60, string? policy = null, params (string Key, string Value)[] labels)
    {
        var pod = Sample.Pod(name, cpu, labels: labels).Spec(spec => spec with { Priority = priority, PreemptionPolicy = policy });
        return pod with { Status = new PodStatus { StartTime = Make.Now.AddMinutes(-startedMinutesAgo) } };
    }

    private static PodBudget Budget(string app, int allowed, params string[] disrupted) => new("default", labels => labels.GetValueOrDefault("app") == app, allowed, disrupted.ToHashSet());

    private sealed class World
    {
        private readonly ResourceNames _names = new();

        public World(params Node[] nodes)
        {
            Cache = new ClusterCache(_names);
            foreach (var node in nodes)
                Cache.SetNode(node);
            Core = new SchedulerCore(SchedulingProfile.Default(_names), Weft.Testing.Seeded.Random(1), sample: false);
        }

        public ClusterCache Cache { get; }
        public SchedulerCore Core { get; }

        public World Running(string node, params Pod[] pods)
        {
            foreach (var pod in pods)
                Cache.SetPod(new PodInfo(pod), node);
            return this;
        }

        public PreemptionPlan? Plan(Pod pod, params PodBudget[] budgets) => PreemptionPlanner.Plan(new PodInfo(pod), Cache.Snapshot, budgets, Core.Fits);

        /// <summary>`node: victim victim`.</summary>
        public string Text(Pod pod, params PodBudget[] budgets) => Plan(pod, budgets) is { } plan ? $"{plan.Node}: {string.Join(' ', plan.Victims.Select(v => v.Key.Name))}" : "none";
    }

    [Fact]
    public void Only_as_many_go_as_needed_and_the_least_important_first() => Assert.Equal("a: low",
        new World(Sample.Node("a")).Running("a", Pod("high", 50, "2"), Pod("low", 1, "1"), Pod("mid", 20, "1")).Text(Pod("p", 100, "1")));

    [Fact]
    public void Whoever_is_as_important_stays() => Assert.Equal("none", new World(Sample.Node("a")).Running("a", Pod("same", 100, "4")).Text(Pod("p", 100, "1")));

    [Fact]
    public void A_pod_that_must_not_preempt_does_not() => Assert.Equal("none", new World(Sample.Node("a")).Running("a", Pod("low", 1, "4")).Text(Pod("p", 100, "1", policy: "Never")));

    [Fact]
    public void A_node_that_would_not_do_empty_costs_nobody() => Assert.Equal("none",
        new World(Sample.Node("a").With(Sample.Taint("team", "red"))).Running("a", Pod("low", 1, "4")).Text(Pod("p", 100, "1")));

    [Fact]
    public void The_node_is_taken_where_the_least_is_lost()
    {
        // Lowest highest priority, then lowest sum, then fewest, then the shortest work lost.
        Assert.Equal("b: b1", new World(Sample.Node("a"), Sample.Node("b")).Running("a", Pod("a1", 50, "4")).Running("b", Pod("b1", 10, "4")).Text(Pod("p", 100, "4")));
        Assert.Equal("b: b1", new World(Sample.Node("a"), Sample.Node("b")).Running("a", Pod("a1", 10, "2"), Pod("a2", 10, "2")).Running("b", Pod("b1", 10, "4")).Text(Pod("p", 100, "4")));
        Assert.Equal("b: b1", new World(Sample.Node("a"), Sample.Node("b")).Running("a", Pod("a1", 10, "4", 90)).Running("b", Pod("b1", 10, "4", 5)).Text(Pod("p", 100, "4")));
    }

    [Fact]
    public void Budgets_are_kept_where_that_can_be_and_broken_where_it_cannot()
    {
        var guarded = Pod("guarded", 1, "4", labels: ("app", "db"));
        var world = new World(Sample.Node("a"), Sample.Node("b")).Running("a", guarded).Running("b", Pod("other", 50, "4"));

        Assert.Equal("a: guarded", world.Text(Pod("p", 100, "4")));
        Assert.Equal("b: other", world.Text(Pod("p", 100, "4"), Budget("db", 0)));
        Assert.Equal("a: guarded", world.Text(Pod("p", 100, "4"), Budget("db", 1)));
        Assert.Equal("a: guarded", world.Text(Pod("p", 100, "4"), Budget("db", 0, "guarded")));
        Assert.Equal(1, new World(Sample.Node("a")).Running("a", guarded).Plan(Pod("p", 100, "4"), Budget("db", 0))!.Violations);
    }

    [Fact]
    public void On_one_node_the_unguarded_pod_goes_before_the_guarded_one() => Assert.Equal("a: free",
        new World(Sample.Node("a")).Running("a", Pod("guarded", 1, "2", labels: ("app", "db")), Pod("free", 5, "2")).Text(Pod("p", 100, "2"), Budget("db", 0)));

    [Fact]
    public void Affinity_to_others_can_be_met_by_their_going() => Assert.Equal("a: hostile", new World(Sample.Node("a")).Running("a", Pod("hostile", 1, "1", labels: ("app", "x")), Pod("calm", 1, "1"))
        .Text(Pod("p", 100, "1").Away("kubernetes.io/hostname", ("app", "x"))));

    [Fact]
    public void Whatever_the_cluster_only_lower_ones_go_the_pod_fits_then_and_no_victim_could_have_stayed()
    {
        var plans = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            var random = Weft.Testing.Seeded.Random(seed);
            var world = new World([.. Enumerable.Range(0, random.Next(1, 6)).Select(i => Sample.Node($"n{i}", $"{random.Next(1, 6)}"))]);
            for (var i = 0; i < 30; i++)
            {
                var pod = new PodInfo(Pod($"p{i}", random.Next(5) * 10, $"{random.Next(1, 20) * 100}m", random.Next(100), labels: ("app", $"a{random.Next(3)}")));
                if (world.Core.Schedule(pod, world.Cache.Snapshot) is SchedulingResult.Placed placed)
                    world.Cache.Reserve(pod, placed.Node);
            }
            PodBudget[] budgets = [Budget("a0", random.Next(3)), Budget("a1", random.Next(2))];
            var asked = new PodInfo(Pod("asked", random.Next(6) * 10, $"{random.Next(1, 40) * 100}m"));
            if (world.Core.Schedule(asked, world.Cache.Snapshot) is SchedulingResult.Placed)
                continue;

            if (PreemptionPlanner.Plan(asked, world.Cache.Snapshot, budgets, world.Core.Fits) is not { } plan)
            {
                // Then not even an empty node of lower ones would do.
                for (var i = 0; i < world.Cache.Snapshot.Count; i++)
                {
                    var node = world.Cache.Snapshot[i];
                    Assert.False(node.Pods.Any(p => p.Priority < asked.Priority)
                        && world.Core.Fits(asked, world.Cache.Snapshot, node.Pods.Where(p => p.Priority < asked.Priority).Aggregate(node, (rest, p) => rest.Without(p.Uid))));
                }
                continue;
            }

            plans++;
            var chosen = world.Cache.Snapshot.Find(plan.Node)!;
            Assert.All(plan.Victims, v => Assert.True(v.Priority < asked.Priority && chosen.Has(v.Uid)));
            var after = plan.Victims.Aggregate(chosen, (rest, v) => rest.Without(v.Uid));
            Assert.True(Fits(after), "the pod fits when the victims are gone");
            Assert.All(plan.Victims, v => Assert.False(Fits(after.With(v)), "no victim goes for nothing"));
            Assert.Equal(plan.Victims.Length, plan.Victims.Select(v => v.Uid).Distinct().Count());

            bool Fits(NodeInfo node) => world.Core.Fits(asked, world.Cache.Snapshot.With(node), node);
        }
        Assert.True(plans > 50, "too few preemptions for this test to mean anything");
    }

    [Fact]
    public void What_is_promised_is_not_given_to_others_of_the_same_or_lower_priority()
    {
        var world = new World(Sample.Node("a"));
        var nominations = new Nominations();
        var promised = new PodInfo(Pod("promised", 50, "3"));
        nominations.Set(new Nomination(promised, "a", ["gone"]));

        Assert.IsType<SchedulingResult.Unschedulable>(Schedule(Pod("low", 10, "2")));
        Assert.IsType<SchedulingResult.Unschedulable>(Schedule(Pod("same", 50, "2")));
        Assert.IsType<SchedulingResult.Placed>(Schedule(Pod("small", 10, "1")));
        Assert.IsType<SchedulingResult.Placed>(Schedule(Pod("high", 60, "2")));
        Assert.IsType<SchedulingResult.Placed>(Schedule(promised.Pod));
        nominations.Remove(promised.Uid);
        Assert.IsType<SchedulingResult.Placed>(Schedule(Pod("low", 10, "2")));

        SchedulingResult Schedule(Pod pod) => world.Core.Schedule(new PodInfo(pod), nominations.Over(world.Cache.Snapshot, new PodInfo(pod)));
    }

    [Fact]
    public void While_its_victims_end_nobody_else_goes_for_it_also_after_a_restart()
    {
        var world = new World(Sample.Node("a")).Running("a", Pod("victim", 1, "4"));
        var pod = new PodInfo(Pod("p", 100, "4"));
        var nominations = new Nominations();
        Assert.False(nominations.MustWait(pod, world.Cache.Snapshot));
        nominations.Set(new Nomination(pod, "a", ["default/victim"]));
        Assert.True(nominations.MustWait(pod, world.Cache.Snapshot));
        world.Cache.RemovePod("default/victim");
        Assert.False(nominations.MustWait(pod, world.Cache.Snapshot));

        var going = Pod("going", 1, "4");
        world.Running("a", going with { Metadata = going.Metadata with { DeletionTimestamp = Make.Now } });
        var nominated = new PodInfo(pod.Pod with { Status = new PodStatus { NominatedNodeName = "a" } });
        Assert.True(new Nominations().MustWait(nominated, world.Cache.Snapshot));
    }
}
