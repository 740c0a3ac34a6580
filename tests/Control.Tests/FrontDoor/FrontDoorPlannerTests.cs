using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.Networking;
using Weft.Control.FrontDoor;
using Weft.Control.Networking;

namespace Weft.Control.Tests.FrontDoor;

public sealed class FrontDoorPlannerTests
{
    private static readonly DoorListener Http = new(80, "http");

    private static readonly DoorListener Https = new(443, "https");

    [Fact]
    public void The_service_is_a_balancer_without_selector_that_keeps_the_clients_address()
    {
        var service = FrontDoorPlanner.Create([Http, Https]);
        Assert.Equal("LoadBalancer Local http-80:80>80 https-443:443>443", $"{service.Spec.Type} {service.Spec.ExternalTrafficPolicy} {Text(service.Spec.Ports)}");
        Assert.Empty(service.Spec.Selector);
        Assert.Equal("ingressgateway", service.Metadata.Labels["istio"]);
        Assert.True(FrontDoorPlanner.IsOurs(service));
    }

    [Fact]
    public void Ports_follow_the_listeners_and_what_their_owner_changed_stays()
    {
        var ports = FrontDoorPlanner.Ports([], [Http, Https]);
        Assert.Equal(ports, FrontDoorPlanner.Ports(ports, [Http, Https]));
        Assert.Equal("https-443:443>443", Text(FrontDoorPlanner.Ports(ports, [Https])));

        // Another number and a node port of its owner's choice.
        ports = [ports[0] with { Port = 8080, NodePort = 30080 }, ports[1]];
        Assert.Equal(ports, FrontDoorPlanner.Ports(ports, [Http, Https]));
        Assert.Equal("https-443:443>443", Text(FrontDoorPlanner.Ports(ports, [Https])));

        // A port that the owner added stays, and takes the place of a listener's own where it has its number.
        ports = [.. ports, new ServicePort { Name = "mine", Port = 9000, TargetPort = 9100, Protocol = "TCP" }];
        Assert.Equal("mine:9000>9100 http-80:80>80", Text(FrontDoorPlanner.Ports([ports[2]], [Http])));
        Assert.Equal("mine:9000>9100", Text(FrontDoorPlanner.Ports([ports[2]], [new(9000, "tcp")])));
    }

    [Fact]
    public void Each_ready_node_is_an_endpoint_by_the_first_address_of_its_pods()
    {
        var service = FrontDoorPlanner.Create([Http]);
        service = service with { Metadata = service.Metadata with { Uid = "u" }, Spec = service.Spec with { Ports = [service.Spec.Ports[0] with { Port = 8080 }, new ServicePort { Name = "mine", Port = 1, TargetPort = 2 }] } };
        Node[] nodes = [Node("b", "10.244.1.0/24"), Node("a", "10.244.0.0/24", zone: "z1"), Node("lost", "10.244.2.0/24", ready: false), Node("new", null), Node("six", "fd00::/64")];
        var created = Assert.IsType<SliceStep.Create>(Assert.Single(FrontDoorPlanner.Slices(service, [Http], nodes, []))).Slice;
        Assert.Equal("IPv4 http-80/80 a=10.244.0.1@z1 b=10.244.1.1@", Text(created));
        Assert.Equal("istio-ingressgateway", created.Metadata.Labels["kubernetes.io/service-name"]);

        // What is done leaves nothing to do; a node that is lost goes.
        created = created with { Metadata = created.Metadata with { Name = "s" } };
        Assert.Empty(FrontDoorPlanner.Slices(service, [Http], nodes, [created]));
        var less = Assert.IsType<SliceStep.Update>(Assert.Single(FrontDoorPlanner.Slices(service, [Http], [nodes[0]], [created]))).New;
        Assert.Equal("IPv4 http-80/80 b=10.244.1.1@", Text(less));
    }

    [Fact]
    public void An_ingress_is_reached_where_the_door_is_and_anothers_status_is_left_alone()
    {
        IReadOnlyList<IngressLoadBalancerIngress> door = [new() { Ip = "10.97.0.1" }];
        var others = new IngressStatus { LoadBalancer = new() { Ingress = [new() { Ip = "192.0.2.1" }] } };
        Assert.Equal("10.97.0.1", Ip(IngressStatusPlanner.Plan(new(), door, isServed: true)));
        Assert.Equal("10.97.0.1", Ip(IngressStatusPlanner.Plan(others, door, isServed: true)));
        Assert.Equal("192.0.2.1", Ip(IngressStatusPlanner.Plan(others, door, isServed: false)));
        Assert.Null(Ip(IngressStatusPlanner.Plan(new() { LoadBalancer = new() { Ingress = door } }, door, isServed: false)));
        Assert.Null(Ip(IngressStatusPlanner.Plan(others, [], isServed: true)));

        static string? Ip(IngressStatus status) => status.LoadBalancer?.Ingress.SingleOrDefault()?.Ip;
    }

    private static Node Node(string name, string? range, bool ready = true, string? zone = null) => new()
    {
        Metadata = new() { Name = name, Labels = zone is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["topology.kubernetes.io/zone"] = zone } },
        Spec = new() { PodCIDR = range },
        Status = new() { Conditions = [new() { Type = "Ready", Status = ready ? "True" : "Unknown" }] },
    };

    private static string Text(IEnumerable<ServicePort> ports) => string.Join(' ', ports.Select(port => $"{port.Name}:{port.Port}>{port.TargetPort?.Number}"));

    private static string Text(EndpointSlice slice)
        => $"{slice.AddressType} {string.Join(' ', slice.Ports.Select(port => $"{port.Name}/{port.Port}"))} {string.Join(' ', slice.Endpoints.Select(endpoint => $"{endpoint.NodeName}={endpoint.Addresses[0]}@{endpoint.Zone}"))}";
}
