using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Networking;

namespace Weft.Control.Tests.Networking;

public class ServiceEndpointsTests
{
    private static Service Service(bool publishNotReady = false, params ServicePort[] ports) => new()
    {
        Metadata = new ObjectMeta { Name = "shop", Namespace = "default", Uid = "svc", Labels = new Dictionary<string, string> { ["tier"] = "web" } },
        Spec = new ServiceSpec
        {
            ClusterIP = "10.96.0.5", Selector = new Dictionary<string, string> { ["app"] = "shop" },
            PublishNotReadyAddresses = publishNotReady ? true : null,
            Ports = ports.Length > 0 ? ports : [new ServicePort { Port = 80, TargetPort = 8080 }],
        },
    };

    private static Pod At(Pod pod, string ip, params ContainerPort[] ports) => pod with
    {
        Status = pod.Status with { PodIP = ip, PodIPs = [new PodIP { Ip = ip }] },
        Spec = pod.Spec with { Containers = [new Container { Name = "main", Ports = ports }] },
    };

    private static string Slices(Service service, params Pod[] pods) => string.Join("; ", ServiceSlices.Groups(service, pods, static _ => new Dictionary<string, string> { ["topology.kubernetes.io/zone"] = "z1" })
        .Select(group => $"{group.AddressType} [{string.Join(' ', group.Ports.Select(port => $"{port.Name}:{port.Port}/{port.Protocol}"))}] "
            + string.Join(' ', group.Endpoints.Select(e => $"{e.Addresses[0]}={(e.Conditions!.Ready == true ? "r" : "")}{(e.Conditions.Serving == true ? "s" : "")}{(e.Conditions.Terminating == true ? "t" : "")}@{e.Zone}"))));

    private static string Subsets(Service service, params Pod[] pods) => string.Join("; ", EndpointsPlanner.Plan(service, null, pods).Subsets
        .Select(subset => $"[{string.Join(' ', subset.Ports.Select(port => $"{port.Name}:{port.Port}"))}] {string.Join(' ', subset.Addresses.Select(a => a.Ip))} | {string.Join(' ', subset.NotReadyAddresses.Select(a => a.Ip))}"));

    [Fact]
    public void Ready_serving_and_terminating_are_told_apart()
    {
        Pod[] pods =
        [
            At(Make.Pod("a"), "10.0.0.1"), At(Make.Pod("b", ready: false), "10.0.0.2"), At(Make.Pod("c", terminating: true), "10.0.0.3"),
            At(Make.Pod("d", phase: "Failed"), "10.0.0.4"), Make.Pod("no address yet"),
        ];
        Assert.Equal("IPv4 [:8080/TCP] 10.0.0.1=rs@z1 10.0.0.2=@z1 10.0.0.3=st@z1", Slices(Service(), pods));
        Assert.Equal("[:8080] 10.0.0.1 | 10.0.0.2", Subsets(Service(), pods));
        Assert.Equal("IPv4 [:8080/TCP] 10.0.0.1=rs@z1 10.0.0.2=r@z1 10.0.0.3=rst@z1", Slices(Service(publishNotReady: true), pods));
        Assert.Equal("[:8080] 10.0.0.1 10.0.0.2 10.0.0.3 | ", Subsets(Service(publishNotReady: true), pods));
    }

    [Fact]
    public void A_named_port_is_each_pods_own_and_one_without_it_is_left_out()
    {
        var service = Service(ports: [new ServicePort { Name = "http", Port = 80, TargetPort = "web" }, new ServicePort { Name = "dns", Port = 53, Protocol = "UDP" }]);
        Pod[] pods =
        [
            At(Make.Pod("a"), "10.0.0.1", new ContainerPort { Name = "web", Port = 8080 }),
            At(Make.Pod("b"), "10.0.0.2", new ContainerPort { Name = "web", Port = 9090 }),
            At(Make.Pod("c"), "10.0.0.3", new ContainerPort { Name = "web", Port = 1, Protocol = "UDP" }),
        ];
        Assert.Equal(
            "IPv4 [dns:53/UDP http:8080/TCP] 10.0.0.1=rs@z1; IPv4 [dns:53/UDP http:9090/TCP] 10.0.0.2=rs@z1; IPv4 [dns:53/UDP] 10.0.0.3=rs@z1",
            Slices(service, pods));
        Assert.Equal("[dns:53] 10.0.0.1 10.0.0.2 10.0.0.3 | ; [http:8080] 10.0.0.1 | ; [http:9090] 10.0.0.2 | ", Subsets(service, pods));
    }

    [Fact]
    public void A_headless_service_may_have_no_ports_and_pods_may_have_names()
    {
        var service = Service() with { Spec = new ServiceSpec { ClusterIP = "None", Selector = new Dictionary<string, string> { ["app"] = "shop" } } };
        var pod = At(Make.Pod("a"), "10.0.0.1");
        pod = pod with { Spec = pod.Spec with { Hostname = "db-0", Subdomain = "shop" } };
        var group = Assert.Single(ServiceSlices.Groups(service, [pod], static _ => null));
        Assert.Equal("db-0", Assert.Single(group.Endpoints).Hostname);
        Assert.True(group.Ports.IsEmpty);
        Assert.Contains("service.kubernetes.io/headless", ServiceSlices.Frame(service).Labels.Keys);
        Assert.Equal("[] 10.0.0.1 | ", Subsets(service, pod));
    }

    [Fact]
    public void A_dual_stack_service_has_slices_of_both_families()
    {
        var service = Service();
        service = service with { Spec = service.Spec with { IpFamilies = ["IPv4", "IPv6"] } };
        var pod = At(Make.Pod("a"), "10.0.0.1");
        pod = pod with { Status = pod.Status with { PodIPs = [new PodIP { Ip = "10.0.0.1" }, new PodIP { Ip = "fd00::1" }] } };
        Assert.Equal("IPv4 [:8080/TCP] 10.0.0.1=rs@z1; IPv6 [:8080/TCP] fd00::1=rs@z1", Slices(service, pod));
        Assert.Equal("[:8080] 10.0.0.1 | ", Subsets(service, pod));
    }

    [Fact]
    public void Endpoints_written_by_hand_are_mirrored_where_nobody_selects()
    {
        var byHand = new Endpoints
        {
            Metadata = new ObjectMeta { Name = "shop", Namespace = "default", Uid = "e" },
            Subsets =
            [
                new EndpointSubset
                {
                    Addresses = [new EndpointAddress { Ip = "192.0.2.1" }, new EndpointAddress { Ip = "2001:db8::1" }],
                    NotReadyAddresses = [new EndpointAddress { Ip = "192.0.2.2" }],
                    Ports = [new Api.Core.EndpointPort { Port = 5432 }],
                },
            ],
        };
        var groups = MirroredSlices.Groups(byHand);
        Assert.Equal(["IPv4: 192.0.2.1 192.0.2.2", "IPv6: 2001:db8::1"], groups.Select(group => $"{group.AddressType}: {string.Join(' ', group.Endpoints.Select(e => e.Addresses[0]))}"));
        Assert.Equal([true, false], groups[0].Endpoints.Select(endpoint => endpoint.Conditions!.Ready == true));

        var service = Service() with { Spec = new ServiceSpec { ClusterIP = "10.96.0.7" } };
        Assert.True(MirroredSlices.IsMirrored(service, byHand));
        Assert.False(MirroredSlices.IsMirrored(Service(), byHand));
        Assert.False(MirroredSlices.IsMirrored(null, byHand));
        var skipped = byHand with { Metadata = byHand.Metadata with { Labels = new Dictionary<string, string> { ["endpointslice.kubernetes.io/skip-mirror"] = "true" } } };
        Assert.False(MirroredSlices.IsMirrored(service, skipped));
    }

    [Fact]
    public void More_than_a_thousand_addresses_are_cut_and_the_object_says_so()
    {
        var pods = Enumerable.Range(0, 1001).Select(i => At(Make.Pod($"p{i:0000}"), $"10.1.{i / 250}.{i % 250}")).ToArray();
        var planned = EndpointsPlanner.Plan(Service(), null, pods);
        Assert.Equal(1000, planned.Subsets.Single().Addresses.Count);
        Assert.Equal("truncated", planned.Metadata.Annotations["endpoints.kubernetes.io/over-capacity"]);
        Assert.DoesNotContain("endpoints.kubernetes.io/over-capacity", EndpointsPlanner.Plan(Service(), planned, pods[..10]).Metadata.Annotations.Keys);
    }
}
