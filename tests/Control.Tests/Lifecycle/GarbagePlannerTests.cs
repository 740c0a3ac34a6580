using Weft.Api;
using Weft.Client;
using Weft.Control.Lifecycle;

namespace Weft.Control.Tests.Lifecycle;

public class GarbagePlannerTests
{
    private static readonly ApiResource Maps = new(new GroupVersionResource("", "v1", "configmaps"), "ConfigMap", true);

    private static OwnerReference Owner(string name, bool blocks = false) => new() { ApiVersion = "v1", Kind = "ConfigMap", Name = name, Uid = "uid-" + name, BlockOwnerDeletion = blocks };

    private static GraphNode Node(string name, bool terminating = false, bool waits = false, string ns = "default", params OwnerReference[] owners) =>
        new("uid-" + name, Maps, new ObjectKey(ns, name), owners) { Terminating = terminating, WaitsForDependents = waits };

    private static string Plan(GraphNode self, string[] finalizers, (OwnerReference, OwnerState)[] owners, params GraphNode[] dependents) =>
        GarbagePlanner.Plan(self, finalizers, owners, dependents) switch
        {
            GarbageStep.Delete delete => $"delete {delete.Propagation}",
            GarbageStep.Disown disown => "disown " + string.Join(' ', disown.Uids),
            GarbageStep.Release => "release",
            GarbageStep.Look look => "look " + string.Join(' ', look.Blocking.Select(node => node.Key.Name)),
            _ => "nothing",
        };

    private static (OwnerReference, OwnerState) Solid => (Owner("solid"), OwnerState.Solid);
    private static (OwnerReference, OwnerState) Absent => (Owner("absent"), OwnerState.Absent);
    private static (OwnerReference, OwnerState) Waiting => (Owner("waiting", blocks: true), OwnerState.Waiting);
    private static (OwnerReference, OwnerState) Unknown => (Owner("unknown"), OwnerState.Unknown);

    [Fact]
    public void Lives_as_long_as_one_owner_does()
    {
        Assert.Equal("nothing", Plan(Node("x"), [], []));
        Assert.Equal("nothing", Plan(Node("x"), [], [Solid]));
        Assert.Equal("disown uid-absent", Plan(Node("x"), [], [Solid, Absent]));
        Assert.Equal("disown uid-absent uid-waiting", Plan(Node("x"), [], [Absent, Solid, Waiting]));
    }

    [Fact]
    public void Goes_with_its_last_owner_in_the_way_it_asks_for_itself()
    {
        Assert.Equal("delete Background", Plan(Node("x"), [], [Absent]));
        Assert.Equal("delete Orphan", Plan(Node("x"), ["orphan"], [Absent]));
        Assert.Equal("delete Foreground", Plan(Node("x"), ["foregroundDeletion"], [Absent]));
        Assert.Equal("nothing", Plan(Node("x", terminating: true), [], [Absent]));
    }

    [Fact]
    public void Nothing_is_concluded_from_an_owner_that_cannot_be_looked_up()
    {
        Assert.Equal("nothing", Plan(Node("x"), [], [Unknown]));
        Assert.Equal("nothing", Plan(Node("x"), [], [Unknown, Absent]));
        Assert.Equal("disown uid-absent", Plan(Node("x"), [], [Unknown, Absent, Solid]));
    }

    [Fact]
    public void In_the_foreground_a_tree_goes_from_its_leaves()
    {
        Assert.Equal("delete Background", Plan(Node("leaf"), [], [Waiting]));
        Assert.Equal("delete Foreground", Plan(Node("branch"), [], [Waiting], Node("leaf", owners: Owner("branch"))));
        var root = Node("root", terminating: true, waits: true);
        Assert.Equal("look blocking", Plan(root, [], [], Node("blocking", owners: Owner("root", blocks: true)), Node("free", owners: Owner("root"))));
        Assert.Equal("release", Plan(root, [], [], Node("free", owners: Owner("root"))));
    }

    [Fact]
    public void A_reference_means_an_object_only_where_it_may_point_to()
    {
        var owner = Node("owner");
        Assert.True(owner.IsMeantBy(Owner("owner"), "default"));
        Assert.False(owner.IsMeantBy(Owner("owner"), "other"));
        Assert.False(owner.IsMeantBy(Owner("owner") with { Name = "x" }, "default"));
        Assert.False(owner.IsMeantBy(Owner("owner") with { Kind = "Secret" }, "default"));
        Assert.False(owner.IsMeantBy(Owner("owner") with { ApiVersion = "apps/v1" }, "default"));
        Assert.Equal("release", Plan(Node("owner", terminating: true, waits: true), [], [], Node("forger", ns: "other", owners: Owner("owner", blocks: true))));
    }

    [Fact]
    public void The_graph_keeps_dependents_through_every_change()
    {
        var graph = new OwnerGraph();
        graph.Set(Node("child", owners: [Owner("a"), Owner("b")]));
        graph.Set(Node("a"));
        Assert.Equal("child", Assert.Single(graph.DependentsOf("uid-a")).Key.Name);
        graph.Set(Node("child", owners: Owner("b")));
        Assert.Empty(graph.DependentsOf("uid-a"));
        graph.Remove("uid-b");
        Assert.Single(graph.DependentsOf("uid-b"));
        graph.Remove("uid-child");
        Assert.Empty(graph.DependentsOf("uid-b"));
        Assert.Equal(1, graph.Count);
    }
}
