using Weft.Node.Network.Services;
using static Weft.Node.Tests.Network.Services.ServiceWorld;

namespace Weft.Node.Tests.Network.Services;

public sealed class ServiceObjectsTests
{
    private static void Golden(string expected, string spec, params string[] slices) =>
        Assert.Equal(expected.ReplaceLineEndings("\n"), Text(Objects(spec, [.. slices.Select(slice => Slice(slice))])));

    [Fact]
    public void A_service_address_leads_to_its_endpoints_by_numbers() => Golden("""
        p-tcp-2: meta l4proto tcp dnat ip to ip daddr . th dport . numgen random mod 2 map @tcp_endpoints
        p-tcp-2: meta l4proto tcp dnat ip to ip daddr . th dport . numgen random mod 1 map @tcp_endpoints
        hairpin 10.1.0.2 . 10.1.0.2
        service_ips 10.96.0.5 . tcp . 80 : goto p-tcp-2
        tcp_endpoints 10.96.0.5 . 80 . 0 : 10.1.0.2 . 8080
        tcp_endpoints 10.96.0.5 . 80 . 1 : 10.1.1.3 . 8080
        """, """{"clusterIP":"10.96.0.5","ports":[{"port":80}]}""", "10.1.0.2 10.1.1.3@n2");

    [Fact]
    public void Without_endpoints_everything_is_refused() => Golden("""
        no_endpoint_ports tcp . 30080 : goto refuse
        no_endpoints 10.96.0.5 . tcp . 80 : goto refuse
        no_endpoints 198.51.100.7 . tcp . 80 : goto refuse
        """, """{"clusterIP":"10.96.0.5","type":"NodePort","externalIPs":["198.51.100.7"],"ports":[{"port":80,"nodePort":30080}]}""", "10.1.0.2!unready");

    /// <summary>What the proxy may not have another answer for: what it took it could only end again.</summary>
    [Fact]
    public void Without_endpoints_and_rules_meshed_pods_are_refused_too()
    {
        const string Spec = """{"clusterIP":"10.96.0.5","externalIPs":["198.51.100.7"],"ports":[{"port":80},{"name":"dns","port":53,"protocol":"UDP"}]}""";
        Assert.Equal(["10.96.0.5 . 80"], Uncaptured(Spec, refuses: true));
        Assert.Empty(Uncaptured(Spec, refuses: false));
        Assert.Empty(Uncaptured(Spec, refuses: true, "10.1.0.2"));
        Assert.Empty(Uncaptured(Spec, refuses: true, "10.1.0.2!ending"));

        static IEnumerable<string> Uncaptured(string spec, bool refuses, params string[] endpoints) => ServiceObjects
            .Of(Plan(spec, [.. endpoints.Select(endpoint => Slice(endpoint))])!, Lab, (_, _) => false, refuses).Elements.Keys.Where(element => element.Set == ServiceTable.Refused).Select(element => element.Key);
    }

    [Fact]
    public void A_node_port_hides_the_source_and_leads_everywhere() => Golden("""
        s-default/web/tcp/80: meta l4proto tcp dnat ip to 10.1.1.2:8080
        x-default/web/tcp/80: meta mark set meta mark or 0x2000 goto s-default/web/tcp/80
        node_ports tcp . 30080 : goto x-default/web/tcp/80
        service_ips 10.96.0.5 . tcp . 80 : goto s-default/web/tcp/80
        """, """{"clusterIP":"10.96.0.5","type":"NodePort","ports":[{"port":80,"nodePort":30080}]}""", "10.1.1.2@n2");

    [Fact]
    public void With_local_policies_only_own_endpoints_serve_the_outside_and_the_source_stays() => Golden("""
        l-default/web/tcp/80: meta l4proto tcp dnat ip to 10.1.0.2:8080
        s-default/web/tcp/80: meta l4proto tcp dnat ip to numgen inc mod 2 map { 0 : 10.1.0.2 . 8080, 1 : 10.1.1.2 . 8080 }
        x-default/web/tcp/80: ip saddr 10.1.0.0/16 goto s-default/web/tcp/80
        x-default/web/tcp/80: fib saddr type local meta mark set meta mark or 0x2000 goto s-default/web/tcp/80
        x-default/web/tcp/80: goto l-default/web/tcp/80
        hairpin 10.1.0.2 . 10.1.0.2
        node_ports tcp . 30080 : goto x-default/web/tcp/80
        service_ips 10.96.0.5 . tcp . 80 : goto s-default/web/tcp/80
        """, """{"clusterIP":"10.96.0.5","type":"NodePort","externalTrafficPolicy":"Local","ports":[{"port":80,"nodePort":30080}]}""", "10.1.1.2@n2 10.1.0.2");

    [Fact]
    public void With_local_policies_and_no_own_endpoint_packets_are_dropped() => Golden("""
        s-default/web/tcp/80: meta l4proto tcp dnat ip to 10.1.1.2:8080
        x-default/web/tcp/80: ip saddr 10.1.0.0/16 goto s-default/web/tcp/80
        x-default/web/tcp/80: fib saddr type local meta mark set meta mark or 0x2000 goto s-default/web/tcp/80
        x-default/web/tcp/80: drop
        no_endpoints 10.96.0.5 . tcp . 80 : drop
        node_ports tcp . 30080 : goto x-default/web/tcp/80
        """, """{"clusterIP":"10.96.0.5","type":"NodePort","internalTrafficPolicy":"Local","externalTrafficPolicy":"Local","ports":[{"port":80,"nodePort":30080}]}""", "10.1.1.2@n2");

    [Fact]
    public void Affinity_keeps_a_client_with_its_endpoint() => Golden("""
        e-10.1.0.2/8080: update @a-10.1.0.2/8080-60 { ip saddr }
        e-10.1.0.2/8080: meta l4proto tcp dnat ip to 10.1.0.2:8080
        e-10.1.1.2/8080: update @a-10.1.1.2/8080-60 { ip saddr }
        e-10.1.1.2/8080: meta l4proto tcp dnat ip to 10.1.1.2:8080
        s-default/web/tcp/80: ip saddr @a-10.1.0.2/8080-60 goto e-10.1.0.2/8080
        s-default/web/tcp/80: ip saddr @a-10.1.1.2/8080-60 goto e-10.1.1.2/8080
        s-default/web/tcp/80: numgen inc mod 2 vmap { 0 : goto e-10.1.0.2/8080, 1 : goto e-10.1.1.2/8080 }
        a-10.1.0.2/8080-60 type ipv4_addr; flags dynamic, timeout; timeout 60s;
        a-10.1.1.2/8080-60 type ipv4_addr; flags dynamic, timeout; timeout 60s;
        hairpin 10.1.0.2 . 10.1.0.2
        service_ips 10.96.0.5 . tcp . 80 : goto s-default/web/tcp/80
        """, """{"clusterIP":"10.96.0.5","sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}},"ports":[{"port":80}]}""", "10.1.0.2 10.1.1.2@n2");

    [Fact]
    public void A_balancer_claims_the_machines_port_unless_a_process_has_it()
    {
        var plan = Weft.Node.Network.Services.ServicePlanner.Plan(
            Service("""{"clusterIP":"10.96.0.5","type":"LoadBalancer","loadBalancerSourceRanges":["10.0.0.0/8"],"ports":[{"port":80}]}""", status: """{"loadBalancer":{"ingress":[{"ip":"10.97.0.1"}]}}"""),
            [Slice("10.1.1.2@n2")], Lab)!;
        Assert.Equal("""
            f-default/web/tcp/80: ip saddr 10.0.0.0/8 goto x-default/web/tcp/80
            f-default/web/tcp/80: drop
            s-default/web/tcp/80: meta l4proto tcp dnat ip to 10.1.1.2:8080
            x-default/web/tcp/80: meta mark set meta mark or 0x2000 goto s-default/web/tcp/80
            own_ports tcp . 80 : goto f-default/web/tcp/80
            service_ips 10.96.0.5 . tcp . 80 : goto s-default/web/tcp/80
            service_ips 10.97.0.1 . tcp . 80 : goto f-default/web/tcp/80
            """.ReplaceLineEndings("\n"), Text(Weft.Node.Network.Services.ServiceObjects.Of(plan, Lab, (_, _) => false)));
        Assert.DoesNotContain("own_ports", Text(Weft.Node.Network.Services.ServiceObjects.Of(plan, Lab, (protocol, port) => (protocol, port) == ("tcp", 80))));
    }

    [Fact]
    public void Host_ports_lead_to_the_pod()
    {
        var pod = Pods.World.Pod("""{"containers":[{"name":"a","ports":[{"containerPort":8080,"hostPort":80},{"containerPort":53,"hostPort":53,"protocol":"UDP","hostIP":"192.0.2.1"},{"containerPort":1}]}]}""");
        var objects = Weft.Node.Network.Services.HostPortObjects.Of(pod with { Status = new() { PodIP = "10.1.0.7" } }, (_, _) => false)!;
        Assert.Equal("""
            hairpin 10.1.0.7 . 10.1.0.7
            host_addresses 192.0.2.1 . udp . 53 : 10.1.0.7 . 53
            host_ports tcp . 80 : 10.1.0.7 . 8080
            """.ReplaceLineEndings("\n"), Text(objects));
        Assert.Null(Weft.Node.Network.Services.HostPortObjects.Of(pod, (_, _) => false));
        Assert.Null(Weft.Node.Network.Services.HostPortObjects.Of(pod with { Status = new() { PodIP = "10.1.0.7", Phase = "Succeeded" } }, (_, _) => false));
    }

    [Fact]
    public void No_pod_takes_a_port_that_the_machine_listens_on()
    {
        var pod = Pods.World.Pod("""{"containers":[{"name":"a","ports":[{"containerPort":5000,"hostPort":5000},{"containerPort":5000,"hostPort":5000,"protocol":"UDP"},{"containerPort":5001,"hostPort":5000,"hostIP":"127.0.0.1"}]}]}""");
        var objects = Weft.Node.Network.Services.HostPortObjects.Of(pod with { Status = new() { PodIP = "10.1.0.7" } }, (protocol, port) => (protocol, port) == ("tcp", 5000))!;
        Assert.Equal(["host_ports udp . 5000"], objects.Elements.Keys.Where(element => element.Set != "hairpin").Select(element => $"{element.Set} {element.Key}"));
    }
}
