using Weft.Node.Network.Services;
using static Weft.Node.Tests.Network.Services.ServiceWorld;

namespace Weft.Node.Tests.Network.Services;

public sealed class ServicePlannerTests
{
    private const string Plain = """{"clusterIP":"10.96.0.5","clusterIPs":["10.96.0.5"],"type":"ClusterIP","ports":[{"port":80,"protocol":"TCP","targetPort":8080}]}""";

    private static string Backends(string spec, params string[] slices) =>
        string.Join(' ', Plan(spec, [.. slices.Select(slice => Slice(slice))])!.Ports.SelectMany(port => port.Everywhere).Select(backend => backend.ToString()));

    [Fact]
    public void Ready_endpoints_of_all_slices_count_once() => Assert.Equal("10.1.0.2:8080 10.1.0.3:8080 10.1.1.4:8080", Backends(Plain, "10.1.0.3 10.1.0.2 10.1.0.9!unready", "10.1.1.4@n2 10.1.0.2"));

    [Fact]
    public void Those_that_end_but_serve_count_only_when_no_other_is_ready()
    {
        Assert.Equal("10.1.0.2:8080", Backends(Plain, "10.1.0.2 10.1.0.3!ending"));
        Assert.Equal("10.1.0.3:8080", Backends(Plain, "10.1.0.2!dead 10.1.0.3!ending 10.1.0.4!unready"));
    }

    [Fact]
    public void An_own_node_without_a_ready_endpoint_falls_back_to_its_ending_one()
    {
        var port = Plan(Plain, Slice("10.1.1.2@n2 10.1.0.3!ending"))!.Ports.Single();
        Assert.Equal("10.1.1.2:8080", Assert.Single(port.Everywhere).ToString());
        Assert.Equal("10.1.0.3:8080", Assert.Single(port.Here).ToString());
    }

    [Fact]
    public void Ports_meet_by_name_and_protocol()
    {
        var plan = Plan(
            """{"clusterIP":"10.96.0.5","ports":[{"name":"web","port":80,"protocol":"TCP"},{"name":"dns","port":53,"protocol":"UDP"},{"name":"old","port":9,"protocol":"SCTP"}]}""",
            Slice("10.1.0.2", """[{"name":"web","port":8080,"protocol":"TCP"},{"name":"dns","port":5353,"protocol":"UDP"},{"name":"web","port":1,"protocol":"UDP"}]"""))!;
        Assert.Equal(["tcp 80 10.1.0.2:8080", "udp 53 10.1.0.2:5353"], plan.Ports.Select(port => $"{port.Protocol} {port.Port} {string.Join(' ', port.Everywhere)}"));
    }

    [Theory]
    [InlineData("""{"clusterIP":"None","ports":[{"port":80}]}""")]
    [InlineData("""{"type":"ExternalName","externalName":"example.com"}""")]
    [InlineData("""{"clusterIP":"fd00::1","ports":[{"port":80}]}""")]
    [InlineData("""{"clusterIP":"10.96.0.10","ports":[{"port":53,"protocol":"UDP"}]}""")]   // the DNS server's own address is never translated
    public void Services_without_an_address_of_their_own_are_not_programmed(string spec) => Assert.Null(Plan(spec, Slice("10.1.0.2")));

    [Fact]
    public void The_front_door_has_ports_of_the_machine_before_services_that_are_older()
    {
        var (old, door) = (Service(Plain, created: "2020-01-01T00:00:00Z"), Service(Plain, name: "istio-ingressgateway"));
        door = door with { Metadata = door.Metadata with { Namespace = "istio-system", Labels = new Dictionary<string, string> { ["weft.dev/front-door"] = "true" } } };
        Assert.True(string.CompareOrdinal(Age(door), Age(old)) < 0);
        // The label alone is anybody's.
        Assert.True(string.CompareOrdinal(Age(door with { Metadata = door.Metadata with { Namespace = "shop" } }), Age(old)) > 0);

        static string Age(Weft.Api.Core.Service service) => ServicePlanner.Plan(service, [], Lab)!.Age;
    }

    [Fact]
    public void What_stands_in_an_object_is_not_taken_into_a_script_as_it_is()
    {
        var spec = """{"clusterIP":"10.96.0.5","type":"LoadBalancer","ports":[{"port":80}],"externalIPs":["1.2.3.4; flush ruleset","198.51.100.7"],"loadBalancerSourceRanges":[" 10.0.0.0/8 ","x/8"]}""";
        var port = Plan(spec, Slice("10.1.0.2 not-an-address"))!.Ports.Single();
        Assert.Equal(["198.51.100.7"], port.ExternalIps);
        Assert.Equal(["10.0.0.0/8"], port.SourceRanges);
        Assert.Equal("10.1.0.2:8080", Assert.Single(port.Everywhere).ToString());
    }

    // Other services' addresses, the API server's, the DNS server's, a pod's, a balancer's, loopback, link-local, multicast.
    [Theory]
    [InlineData("10.96.0.77")]
    [InlineData("10.96.0.1")]
    [InlineData("10.96.0.10")]
    [InlineData("10.1.3.4")]
    [InlineData("10.97.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.251")]
    public void No_service_takes_an_address_of_the_cluster_as_an_external_one(string address)
    {
        var spec = $$"""{"clusterIP":"10.96.0.5","type":"LoadBalancer","ports":[{"port":53}],"externalIPs":["{{address}}"]}""";
        var status = $$$"""{"loadBalancer":{"ingress":[{"ip":"{{{address}}}"}]}}""";
        var port = Weft.Node.Network.Services.ServicePlanner.Plan(Service(spec, status: status), [Slice("10.1.0.2")], Lab)!.Ports.Single();
        Assert.Empty(port.ExternalIps);
        Assert.Equal(address == "10.97.0.1" ? [address] : [], port.LoadBalancerIps);
    }

    [Fact]
    public void The_balancers_pool_follows_the_service_range()
    {
        Assert.Equal("10.97.0.0/20", Lab.LoadBalancerPool);
        Assert.Equal("10.212.8.0/24", Weft.Node.Network.Services.ServiceNetwork.PoolOf("10.212.7.0/24"));
        Assert.Equal(("10.96.0.1", "10.96.0.10", "10.1.0.1"), (Lab.ApiAddress, Lab.DnsAddress, Lab.Gateway));
    }
}
