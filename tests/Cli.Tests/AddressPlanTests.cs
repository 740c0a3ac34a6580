using System.Net;
using Weft.Cli.Clusters;

namespace Weft.Cli.Tests;

public sealed class AddressPlanTests
{
    [Fact]
    public void A_machine_without_routes_gets_the_documented_network() => Assert.Equal("10.244.0.0/16", AddressPlan.ChoosePodCidr([]));

    [Theory]
    [InlineData("10.244.3.0/24", "10.242.0.0/16")]
    [InlineData("10.244.0.0/15", "10.242.0.0/16")]
    [InlineData("10.128.0.0/9", null)]
    [InlineData("0.0.0.0/0", "10.244.0.0/16")]
    [InlineData("172.17.0.0/16", "10.244.0.0/16")]
    public void A_route_that_overlaps_moves_the_network(string route, string? expected) =>
        Assert.Equal(expected, AddressPlan.ChoosePodCidr([IPNetwork.Parse(route)]));

    [Fact]
    public void Routes_are_read_from_the_kernels_table()
    {
        var routes = AddressPlan.Routes(
        [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
            "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0",
            "cni0\t0002F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
        ]);
        Assert.Equal([IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("10.244.2.0/24")], routes);
    }
}
