using System.Net;
using Weft.Cli.Clusters;

namespace Weft.Cli.Tests;

public sealed class MachineNetworksTests : IDisposable
{
    private readonly string _place = Directory.CreateTempSubdirectory("weft-place-").FullName;

    [Fact]
    public void The_networks_of_clusters_that_are_down_are_left_alone()
    {
        Make("weft", """{"apiPort": 6443, "podCidr": "10.244.0.0/16", "serviceCidr": "10.96.0.0/16", "format": 2}""");
        Make("weft-second", """{"apiPort": 6444, "podCidr": "10.242.0.0/16", "serviceCidr": "10.98.0.0/16", "format": 2}""");

        var taken = MachineNetworks.OfClusters(_place).ToList();

        Assert.Equal("10.240.0.0/16", AddressPlan.ChoosePodCidr(taken));
        Assert.Equal("10.100.0.0/16", AddressPlan.ChooseServiceCidr(taken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"apiPort": 6443, "podCidr": "10.244.0.0/16", "serviceCidr": "10.96.0.0/16", "format": 99}""")]
    [InlineData("""{"apiPort": 6443, "podCidr": "here", "serviceCidr": "10.96.0.0/16"}""")]
    [InlineData("""{"apiPort": 6443}""")]
    public void A_cluster_that_cannot_be_read_keeps_nobody_from_making_one(string settings)
    {
        Make("weft-broken", settings);
        Directory.CreateDirectory(Path.Combine(_place, "weft-empty"));
        Assert.Empty(MachineNetworks.OfClusters(_place));
    }

    [Fact]
    public void The_machines_own_addresses_are_networks_of_one() =>
        Assert.Contains(IPNetwork.Parse("127.0.0.1/32"), MachineNetworks.Addresses());

    private void Make(string name, string settings)
    {
        Directory.CreateDirectory(Path.Combine(_place, name));
        File.WriteAllText(Path.Combine(_place, name, "cluster.json"), settings);
    }

    public void Dispose() => Directory.Delete(_place, recursive: true);
}
