using System.Net;
using Weft.Api;
using Weft.Api.Core;
using Weft.Node.Network.Routes;

namespace Weft.Node.Tests.Network;

public sealed class NodeRoutePlannerTests
{
    private static readonly IPNetwork[] Links = [IPNetwork.Parse("192.168.7.0/24")];

    [Fact]
    public void A_neighbour_on_a_link_is_reached_by_its_own_address_and_own_addresses_without_a_pod_are_refused()
    {
        var routes = NodeRoutePlanner.Plan("a", [Make("a", "10.1.0.0/24", "192.168.7.1"), Make("b", "10.1.1.0/24", "192.168.7.2")], Links, []);
        Assert.Equal([new NodeRoute("10.1.1.0/24", "192.168.7.2"), new NodeRoute("10.1.0.0/24", null)], routes);
    }

    [Fact]
    public void A_node_off_the_link_is_reached_through_the_one_that_it_names_or_not_at_all()
    {
        var routes = NodeRoutePlanner.Plan(
            "a", [Make("a", "10.1.0.0/24", "192.168.7.1"), Make("b", "10.1.1.0/24", "10.1.255.2", "192.168.7.9"), Make("c", "10.1.2.0/24", "10.9.9.9")], Links, []);
        Assert.Equal([new NodeRoute("10.1.1.0/24", "192.168.7.9"), new NodeRoute("10.1.255.2/32", "192.168.7.9"), new NodeRoute("10.1.0.0/24", null)], routes);
    }

    [Fact]
    public void A_single_node_changes_nothing() => Assert.Empty(NodeRoutePlanner.Plan("a", [Make("a", "10.1.0.0/24", "192.168.7.1")], Links, []));

    [Fact]
    public void What_stands_needs_nothing_and_what_is_too_much_goes()
    {
        var present = NodeRoutePlanner.Parse("10.1.1.0/24 via 192.168.7.2 dev eth0 \nunreachable 10.1.0.0/24 metric 4096 \n10.1.255.2 via 192.168.7.9 dev eth0 \n");
        Assert.Empty(NodeRoutePlanner.Difference(present, present, 87));
        Assert.Equal(
            ["route replace 10.1.1.0/24 via 192.168.7.3 proto 87", "route del unreachable 10.1.0.0/24 proto 87", "route del 10.1.255.2/32 proto 87"],
            NodeRoutePlanner.Difference([new NodeRoute("10.1.1.0/24", "192.168.7.3")], present, 87));
    }

    private static Weft.Api.Core.Node Make(string name, string range, string address, string? hop = null) => new()
    {
        Metadata = new ObjectMeta { Name = name, Annotations = hop is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [NodeAnnotations.NextHop] = hop } },
        Spec = new NodeSpec { PodCIDR = range },
        Status = new NodeStatus { Addresses = [new NodeAddress { Type = "InternalIP", Address = address }] },
    };
}
