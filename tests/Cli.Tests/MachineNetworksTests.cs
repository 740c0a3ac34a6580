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
        Make("weft-joined", """{"server": "https://192.0.2.1:6443", "nodeName": "two", "clusterCidr": "10.240.0.0/16", "serviceCidr": "10.100.0.0/16"}""", "agent.json");

        var taken = MachineNetworks.OfClusters(_place, Nowhere).ToList();

        Assert.Equal("10.238.0.0/16", AddressPlan.ChoosePodCidr(taken));
        Assert.Equal("10.102.0.0/16", AddressPlan.ChooseServiceCidr(taken));
    }

    [Fact]
    public void What_a_cluster_has_noted_in_its_run_directory_is_left_alone_wherever_its_data_is()
    {
        var run = Directory.CreateDirectory(Path.Combine(_place, "weft-elsewhere")).FullName;
        MachineNetworks.Note(new ClusterSettings(6443, "10.244.0.0/16", "10.96.0.0/16"), run);

        Assert.Equal(["10.244.0.0/16", "10.96.0.0/16"], MachineNetworks.OfClusters(Nowhere, _place).Select(network => network.ToString()));
    }

    [Theory]
    [InlineData("10.244.0.0/16", "10.98.0.0/16", "elsewhere")]
    [InlineData("10.242.0.0/16", "10.96.0.0/16", "elsewhere")]
    [InlineData("10.242.0.0/16", "10.98.0.0/16", null)]
    public void A_cluster_that_is_up_with_a_network_of_this_one_is_named(string pods, string services, string? expected)
    {
        var settings = new ClusterSettings(6444, pods, services);
        var own = Directory.CreateDirectory(Path.Combine(_place, "weft")).FullName;
        MachineNetworks.Note(settings, own);
        MachineNetworks.Note(new ClusterSettings(6443, "10.244.0.0/16", "10.96.0.0/16"), Directory.CreateDirectory(Path.Combine(_place, "weft-elsewhere")).FullName);

        Assert.Equal(expected, MachineNetworks.HolderOf(settings, _place, own));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"apiPort": 6443, "podCidr": "10.244.0.0/16", "serviceCidr": "10.96.0.0/16", "format": 99}""")]
    [InlineData("""{"apiPort": 6443, "podCidr": "here", "serviceCidr": "10.96.0.0"}""")]
    [InlineData("""{"apiPort": 6443}""")]
    public void A_cluster_that_cannot_be_read_keeps_nobody_from_making_one(string settings)
    {
        Make("weft-broken", settings);
        Directory.CreateDirectory(Path.Combine(_place, "weft-empty"));
        Make("weft-node", settings, "agent.json");
        Assert.Empty(MachineNetworks.OfClusters(_place, Nowhere));
    }

    [Fact]
    public void The_machines_own_addresses_are_networks_of_one() =>
        Assert.Contains(IPNetwork.Parse("127.0.0.1/32"), MachineNetworks.Addresses());

    private string Nowhere => Path.Combine(_place, "nowhere");

    private void Make(string name, string settings, string file = "cluster.json")
    {
        Directory.CreateDirectory(Path.Combine(_place, name));
        File.WriteAllText(Path.Combine(_place, name, file), settings);
    }

    public void Dispose() => Directory.Delete(_place, recursive: true);
}
