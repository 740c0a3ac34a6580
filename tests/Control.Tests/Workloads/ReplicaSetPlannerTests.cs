using FsCheck;
using FsCheck.Fluent;
using Weft.Api.Core;
using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads;

public class ReplicaSetPlannerTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void Adds_what_is_missing_and_counts_neither_finished_nor_terminating_pods()
    {
        Pod[] pods = [Make.Pod("a"), Make.Pod("b", phase: "Failed"), Make.Pod("c", phase: "Succeeded"), Make.Pod("d", terminating: true)];
        var plan = ReplicaSetPlanner.Plan(Make.ReplicaSet(3), pods, pods, Make.Now);
        Assert.Equal(2, plan.Create);
        Assert.Empty(plan.Delete);
    }

    [Fact]
    public void A_set_that_is_being_deleted_makes_no_pods()
    {
        var set = Make.ReplicaSet(3);
        set = set with { Metadata = set.Metadata with { DeletionTimestamp = Make.Now } };
        Assert.Equal(ReplicaSetPlan.Nothing, ReplicaSetPlanner.Plan(set, [], [], Make.Now));
    }

    [Fact]
    public void Asks_for_at_most_500_pods_at_once() =>
        Assert.Equal(500, ReplicaSetPlanner.Plan(Make.ReplicaSet(10_000), [], [], Make.Now).Create);

    public static TheoryData<string, Pod, Pod> Victims => new()
    {
        { "unscheduled before scheduled", Make.Pod("z", node: null, phase: "Pending", ready: false), Make.Pod("a", phase: "Pending", ready: false) },
        { "pending before running", Make.Pod("z", phase: "Pending", ready: false), Make.Pod("a", ready: false) },
        { "not ready before ready", Make.Pod("z", ready: false), Make.Pod("a", cost: -100) },
        { "the cheaper one", Make.Pod("z", cost: 1), Make.Pod("a", cost: 2) },
        { "the cheaper one, where no cost is 0", Make.Pod("z", cost: -1), Make.Pod("a", age: TimeSpan.Zero) },
        { "ready for a shorter time", Make.Pod("z", readyFor: TimeSpan.FromMinutes(1)), Make.Pod("a", readyFor: Hour) },
        { "restarted more often", Make.Pod("z", restarts: 3), Make.Pod("a", restarts: 1) },
        { "younger", Make.Pod("z", age: TimeSpan.FromMinutes(1), readyFor: TimeSpan.FromSeconds(30)), Make.Pod("a", age: Hour, readyFor: TimeSpan.FromSeconds(30)) },
    };

    [Theory, MemberData(nameof(Victims))]
    public void Takes_away_first(string what, Pod victim, Pod survivor)
    {
        Assert.NotEmpty(what);
        foreach (Pod[] order in (Pod[][])[[victim, survivor], [survivor, victim]])
            Assert.Equal(victim, Assert.Single(ReplicaSetPlanner.Plan(Make.ReplicaSet(1), order, order, Make.Now).Delete));
    }

    [Fact]
    public void Evens_out_the_nodes_counting_the_pods_of_sibling_sets()
    {
        Pod[] own = [Make.Pod("a", node: "n1"), Make.Pod("b", node: "n2")];
        Pod[] siblings = [.. own, Make.Pod("other", node: "n2")];
        Assert.Equal("b", Assert.Single(ReplicaSetPlanner.Plan(Make.ReplicaSet(1), own, siblings, Make.Now).Delete).Metadata.Name);
    }

    [Fact]
    public void The_order_of_deletion_is_total() => Prop.ForAll(
        PodSets.ToArbitrary(),
        pods =>
        {
            var rank = new DeletionRank(new Dictionary<string, int> { ["n1"] = 2, ["n2"] = 1 }, Make.Now);
            foreach (var x in pods)
            {
                foreach (var y in pods)
                {
                    Assert.Equal(Math.Sign(rank.Compare(x, y)), -Math.Sign(rank.Compare(y, x)));
                    foreach (var z in pods)
                        Assert.False(rank.Compare(x, y) < 0 && rank.Compare(y, z) < 0 && rank.Compare(x, z) >= 0);
                }
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Carrying_out_a_plan_leaves_nothing_to_do() => Prop.ForAll(
        PodSets.ToArbitrary(), ArbMap.Default.GeneratorFor<byte>().Select(size => size % 12).ToArbitrary(),
        (pods, size) =>
        {
            var set = Make.ReplicaSet(size);
            var plan = ReplicaSetPlanner.Plan(set, pods, pods, Make.Now);
            Assert.True(plan.Create == 0 || plan.Delete.IsEmpty);
            Assert.All(plan.Delete, pod => Assert.True(pod.IsActive()));
            List<Pod> after = [.. pods.Except(plan.Delete), .. Enumerable.Range(0, plan.Create).Select(i => Make.Pod($"new{i}", phase: "Pending", node: null))];
            Assert.Equal(size, after.Count(pod => pod.IsActive()));
            var again = ReplicaSetPlanner.Plan(set, after, after, Make.Now);
            Assert.True(again.Create == 0 && again.Delete.IsEmpty);
        }).QuickCheckThrowOnFailure();

    internal static Gen<List<Pod>> PodSets => ArbMap.Default.GeneratorFor<byte>().Four().ListOf().Select(bytes => bytes.Take(12).Select((b, i) =>
    {
        string[] phases = ["Pending", "Running", "Running", "Failed", "Unknown"];
        return Make.Pod(
            $"p{i}", node: (b.Item1 % 3) switch { 0 => null, 1 => "n1", _ => "n2" }, phase: phases[b.Item2 % phases.Length], ready: b.Item3 % 2 == 0,
            age: TimeSpan.FromSeconds(b.Item4 * 7), readyFor: TimeSpan.FromSeconds(b.Item4 * 3), cost: b.Item3 % 5 == 0 ? b.Item4 : null,
            restarts: b.Item4 % 3, terminating: b.Item1 % 11 == 0);
    }).ToList());
}
