using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>Headless services: a client dials the address of one of the pods, and rules are for who names the service.</summary>
public sealed class HeadlessTests : IDisposable
{
    private const string Client = "127.1.0.1", Name = "db.shop.svc.cluster.local";
    private readonly Pod _zero = new("db-0", "127.1.0.10"), _one = new("db-1", "127.1.0.11");

    public void Dispose()
    {
        _zero.Dispose();
        _one.Dispose();
    }

    [Fact]
    public async Task Without_a_rule_a_request_reaches_exactly_the_pod_that_was_dialled()
    {
        await using var bed = Bed();
        bed.Apply(Service(PortProtocol.Http, Dialled));
        for (var i = 0; i < 10; i++)
        {
            Assert.StartsWith("db-0", Ask(bed, _zero, Name).Body, StringComparison.Ordinal);
            Assert.StartsWith("db-1", Ask(bed, _one, Name).Body, StringComparison.Ordinal);
            Assert.StartsWith("db-1", Ask(bed, _one, "db-1.db").Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Rules_are_for_who_names_the_service_and_not_for_who_names_a_pod_or_its_address()
    {
        await using var bed = Bed();
        bed.Apply(Service(PortProtocol.Http, new RouteConfig { Name = "rule", Action = new DirectResponse { Status = 418 } }));
        Assert.Equal(418, Ask(bed, _zero, "db").Status);
        Assert.Equal(418, Ask(bed, _zero, $"{Name}:{_zero.Port}").Status);
        Assert.StartsWith("db-0", Ask(bed, _zero, "db-0.db.shop").Body, StringComparison.Ordinal);
        Assert.StartsWith("db-1", Ask(bed, _one, _one.Address).Body, StringComparison.Ordinal);

        // A subset is chosen among all, whoever was dialled.
        bed.Apply(Service(PortProtocol.Auto, new RouteConfig { Name = "rule", Action = To($"{Name}:80/one") }));
        Assert.StartsWith("db-1", Ask(bed, _zero, "db").Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_go_to_the_pod_that_was_dialled()
    {
        using var speaks = new Pod("speaks", "127.1.0.12", greeting: "hello");
        await using var bed = Bed();
        bed.Apply(MeshBed.Workload("speaks", speaks.Address));
        foreach (var protocol in new[] { PortProtocol.Tcp, PortProtocol.Auto })
        {
            bed.Apply(Service(protocol, Dialled, speaks));
            using var socket = bed.Dial(Client, speaks.Address, speaks.Port);
            var buffer = new byte[5];
            for (var got = 0; got < 5;)
                got += socket.Receive(buffer, got, 5 - got, SocketFlags.None);
            Assert.Equal("hello", Encoding.ASCII.GetString(buffer));
        }
    }

    [Fact]
    public async Task Two_services_of_the_same_pods_each_have_their_rules()
    {
        await using var bed = Bed();
        bed.Apply(Service(PortProtocol.Http, new RouteConfig { Name = "rule", Action = new DirectResponse { Status = 418 } }));
        bed.Apply(Service(PortProtocol.Http, new RouteConfig { Name = "rule", Action = new DirectResponse { Status = 409 } }, name: "peers"));
        Assert.Equal(418, Ask(bed, _zero, "db").Status);
        Assert.Equal(409, Ask(bed, _zero, "peers").Status);
        Assert.StartsWith("db-0", Ask(bed, _zero, "db-0.peers").Body, StringComparison.Ordinal);

        bed.Apply(Service(PortProtocol.Http, new RouteConfig { Name = "rule", Action = new DirectResponse { Status = 410 } }, name: "peers"));
        Assert.Equal(410, Ask(bed, _zero, "peers").Status);
        bed.Remove([.. Service(PortProtocol.Http, Dialled, name: "peers").Select(unit => unit.Key)]);
        Assert.Equal(418, Ask(bed, _zero, "db").Status);
        Assert.StartsWith("db-0", Ask(bed, _zero, "peers").Body, StringComparison.Ordinal);
    }

    /// <summary>Where only known hosts may be called, the name of one is no way to an address that is nobody's.</summary>
    [Fact]
    public async Task The_services_name_does_not_open_other_addresses()
    {
        using var outside = new Pod("outside", "127.9.0.1");
        await using var bed = Bed(restricted: true);
        bed.Apply(Service(PortProtocol.Http, Dialled));
        using (var socket = bed.Dial(Client, outside.Address, outside.Port))
            MeshBed.AssertClosed(socket);
        Assert.StartsWith("db-0", Ask(bed, _zero, Name).Body, StringComparison.Ordinal);
        // An endpoint that is gone is a pod like any other.
        bed.Remove(new UnitKey(UnitKind.Backends, "slice/shop/" + Name));
        Assert.StartsWith("db-0", Ask(bed, _zero, Name).Body, StringComparison.Ordinal);
        Assert.Empty(bed.Proxy.State.View.Dialled);
    }

    [Fact]
    public async Task A_policy_of_the_pod_is_asked_as_for_every_request()
    {
        await using var bed = Bed();
        bed.Apply(Service(PortProtocol.Http, Dialled));
        bed.Apply(UnitCodec.Policy("shop/none", new PolicyUnit { Authorization = new AuthorizationPolicyConfig { Name = "shop/none", Action = AuthorizationAction.Deny, Rules = [new AuthorizationRule()] } }));
        bed.Apply(MeshBed.Workload("db-0", _zero.Address, more: unit => unit with { Policies = ["shop/none"], MutualTls = MutualTls.Strict }));
        Assert.Equal(403, Ask(bed, _zero, Name).Status);
        Assert.Equal(200, Ask(bed, _one, Name).Status);
    }

    private static RouteConfig Dialled => new() { Name = "default", Action = To($"{Name}:80/~dialled") };

    private static ForwardAction To(string cluster) => new() { Clusters = [new WeightedCluster { Cluster = cluster }] };

    private MeshBed Bed(bool restricted = false)
    {
        var bed = new MeshBed();
        bed.Apply(MeshBed.Workload("client", Client, more: unit => unit with { KnownHostsOnly = restricted }), MeshBed.Workload("db-0", _zero.Address), MeshBed.Workload("db-1", _one.Address));
        return bed;
    }

    private ConfigUnit[] Service(PortProtocol protocol, RouteConfig rule, Pod? more = null, string name = "db")
    {
        var host = $"{name}.shop.svc.cluster.local";
        var cluster = new ClusterUnit { Cluster = new ClusterConfig { Name = $"{host}:80" }, Host = host, Port = 80 };
        var direct = new RouteConfig { Name = "dialled", Action = To($"{host}:80/~dialled") };
        return
        [
            UnitCodec.Destination(host, new DestinationUnit { ByEndpoint = true, Ports = [new DestinationPort { Port = 80, Protocol = protocol, Routes = protocol == PortProtocol.Tcp ? null : $"{host}:80" }] }),
            UnitCodec.Routes(new RouteTableConfig
            {
                Name = $"{host}:80",
                Hosts =
                [
                    new VirtualHostConfig { Name = host, Domains = [name, host], Routes = [rule] },
                    new VirtualHostConfig { Name = host + "/dialled", Domains = ["*"], Routes = [direct] },
                ],
            }),
            UnitCodec.Cluster(cluster),
            UnitCodec.Cluster(cluster with { Cluster = new ClusterConfig { Name = $"{host}:80/~dialled" }, OriginalAddress = true }),
            UnitCodec.Cluster(cluster with { Cluster = new ClusterConfig { Name = $"{host}:80/one" }, Labels = new ValueMap([KeyValuePair.Create("pod", "one")]) }),
            UnitCodec.Backends($"slice/shop/{host}", new BackendsUnit
            {
                Host = host, ByEndpoint = true,
                Ports = [new BackendPort(80, [MeshBed.Endpoint(_zero), MeshBed.Endpoint(_one, ("pod", "one")), .. more is null ? [] : new[] { MeshBed.Endpoint(more) }])],
            }),
        ];
    }

    private static (int Status, string Body) Ask(MeshBed bed, Pod pod, string host)
    {
        using var socket = bed.Dial(Client, pod.Address, pod.Port);
        var answer = EngineBed.Ask(socket, $"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        return (int.Parse(answer.AsSpan(9, 3), CultureInfo.InvariantCulture), answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
    }
}
