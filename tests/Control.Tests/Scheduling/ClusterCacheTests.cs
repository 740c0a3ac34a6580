using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Tests.Scheduling;

public sealed class ClusterCacheTests
{
    private readonly ClusterCache _cache = new(new ResourceNames());

    [Fact]
    public void A_placement_counts_from_the_decision_and_once_only()
    {
        _cache.SetNode(Sample.Node("a"));
        var pod = new PodInfo(Sample.Pod("p", "1"));

        _cache.Reserve(pod, "a");
        Assert.True(_cache.IsAssumed(pod.Uid));
        Assert.Equal(3000, Free("a"));

        Assert.Equal(ClusterEvents.None, _cache.SetPod(new PodInfo(Sample.Pod("p", "1")), "a"));
        Assert.False(_cache.IsAssumed(pod.Uid));
        Assert.Equal(3000, Free("a"));
    }

    [Fact]
    public void A_failed_binding_gives_the_room_back_but_a_confirmed_one_stays()
    {
        _cache.SetNode(Sample.Node("a"));
        var failed = new PodInfo(Sample.Pod("failed", "1"));
        var confirmed = new PodInfo(Sample.Pod("confirmed", "1"));
        _cache.Reserve(failed, "a");
        _cache.Reserve(confirmed, "a");
        _cache.SetPod(confirmed, "a");

        _cache.Unreserve(failed);
        _cache.Unreserve(confirmed);

        Assert.Equal(3000, Free("a"));
    }

    [Fact]
    public void A_pod_that_was_bound_elsewhere_moves()
    {
        _cache.SetNode(Sample.Node("a"));
        _cache.SetNode(Sample.Node("b"));
        var pod = new PodInfo(Sample.Pod("p", "1"));
        _cache.Reserve(pod, "a");

        _cache.SetPod(pod, "b");

        Assert.Equal(4000, Free("a"));
        Assert.Equal(3000, Free("b"));
    }

    [Fact]
    public void Pods_of_a_node_that_is_not_known_yet_count_when_it_comes()
    {
        _cache.SetPod(new PodInfo(Sample.Pod("p", "1")), "a");
        _cache.SetPod(new PodInfo(Sample.Pod("q", "1")), "a");
        _cache.RemovePod("default/q");

        _cache.SetNode(Sample.Node("a"));
        Assert.Equal(3000, Free("a"));

        _cache.RemoveNode("a");
        Assert.Equal(0, _cache.Snapshot.Count);
        _cache.SetNode(Sample.Node("a"));
        Assert.Equal(3000, Free("a"));
        _cache.RemovePod("default/p");
        Assert.Equal(4000, Free("a"));
    }

    [Fact]
    public void A_change_of_a_node_says_what_changed()
    {
        var node = Sample.Node("a");

        Assert.Equal(ClusterEvents.NodeAdded, _cache.SetNode(node));
        Assert.Equal(ClusterEvents.None, _cache.SetNode(Sample.Node("a")));
        Assert.Equal(ClusterEvents.NodeLabelsChanged, _cache.SetNode(Sample.Node("a", labels: ("x", "y"))));
        Assert.Equal(ClusterEvents.NodeLabelsChanged | ClusterEvents.NodeTaintsChanged, _cache.SetNode(node.With(Sample.Taint("k", "v"))));
        Assert.Equal(ClusterEvents.NodeTaintsChanged, _cache.SetNode(node));
        Assert.Equal(ClusterEvents.NodeAllocatableChanged, _cache.SetNode(node.Offering("example.com/gpu", "1")));
    }

    [Fact]
    public void A_change_of_a_nodes_status_keeps_its_pods()
    {
        _cache.SetNode(Sample.Node("a"));
        _cache.SetPod(new PodInfo(Sample.Pod("p", "1")), "a");

        _cache.SetNode(Sample.Node("a", cpu: "2"));

        Assert.Equal(1000, Free("a"));
    }

    private long Free(string node) => _cache.Snapshot.Find(node)!.Free(ResourceNames.Cpu);
}
