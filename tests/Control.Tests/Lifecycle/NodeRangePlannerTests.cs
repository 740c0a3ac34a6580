using System.Net;
using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Lifecycle;

namespace Weft.Control.Tests.Lifecycle;

public sealed class NodeRangePlannerTests
{
    private static readonly IPNetwork Cluster = IPNetwork.Parse("10.244.0.0/16");

    [Fact]
    public void The_first_range_is_left_to_node_1_and_the_next_free_one_is_given()
    {
        Node[] all = [Make("n1", "10.244.0.0/24"), Make("n2", "10.244.1.0/24"), Make("n4", "10.244.3.0/24"), Make("n3")];
        Assert.Equal(new NodeRange("10.244.2.0/24", null), NodeRangePlanner.Plan(all[3], all, Cluster));
        Assert.Equal(new NodeRange("10.244.1.0/24", null), NodeRangePlanner.Plan(Make("n2"), [Make("n2")], Cluster));
    }

    [Fact]
    public void A_node_keeps_its_range_and_a_range_of_two_nodes_is_told()
    {
        Node[] all = [Make("n1", "10.244.0.0/24"), Make("n2", "10.244.1.0/24"), Make("n3", "10.244.1.0/24")];
        Assert.Equal(new NodeRange("10.244.0.0/24", null), NodeRangePlanner.Plan(all[0], all, Cluster));
        Assert.Contains("another node's", NodeRangePlanner.Plan(all[2], all, Cluster).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cluster_of_one_node_with_the_whole_network_has_nothing_for_a_second_and_says_what_to_do()
    {
        Node[] all = [Make("n1", "10.244.0.0/16"), Make("n2")];
        var (range, problem) = NodeRangePlanner.Plan(all[1], all, Cluster);
        Assert.Null(range);
        Assert.Contains("weft down --purge", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_range_is_never_given_and_254_nodes_get_one_each()
    {
        var all = new List<Node> { Make("n1", "10.244.0.0/24") };
        for (var i = 2; i <= 255; i++)
        {
            var node = Make("n" + i);
            all.Add(Make("n" + i, NodeRangePlanner.Plan(node, [.. all, node], Cluster).Range!));
        }

        Assert.Equal(255, all.Select(node => node.Spec.PodCIDR).Distinct().Count());
        Assert.DoesNotContain("10.244.255.0/24", all.Select(node => node.Spec.PodCIDR));
        Assert.Null(NodeRangePlanner.Plan(Make("late"), all, Cluster).Range);
    }

    private static Node Make(string name, string? range = null) =>
        new() { Metadata = new ObjectMeta { Name = name }, Spec = new NodeSpec { PodCIDR = range, PodCIDRs = range is null ? [] : [range] } };
}
