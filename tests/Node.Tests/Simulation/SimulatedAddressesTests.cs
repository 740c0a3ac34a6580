using Weft.Node.Simulation;

namespace Weft.Node.Tests.Simulation;

public sealed class SimulatedAddressesTests
{
    [Fact]
    public void A_pod_keeps_its_address_and_two_pods_never_share_one()
    {
        var addresses = new SimulatedAddresses();
        addresses.Keep("old", "198.18.0.1");
        Assert.Equal("198.18.0.1", addresses.Give("old"));
        var given = Enumerable.Range(0, 1000).Select(i => addresses.Give("p" + i)).ToList();
        Assert.Equal(1000, given.Append("198.18.0.1").Distinct().Count() - 1);
        Assert.Equal(given[7], addresses.Give("p7"));
    }

    [Fact]
    public void An_address_that_was_given_back_is_not_the_next_one()
    {
        var addresses = new SimulatedAddresses();
        var first = addresses.Give("a");
        addresses.TakeBack("a");
        Assert.NotEqual(first, addresses.Give("b"));
    }

    [Fact]
    public void Names_of_simulated_nodes_are_told_from_others()
    {
        Assert.Equal(7, SimulatedNode.Number(SimulatedNode.Name(7)));
        Assert.Null(SimulatedNode.Number("sim-7"));
        Assert.Null(SimulatedNode.Number("simon"));
        Assert.Null(SimulatedNode.Number(null));
    }
}
