using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>What a change costs in a large mesh: what it touches, not what there is.</summary>
public sealed class CostTests
{
    private const int Hosts = 1_000, Endpoints = 10;

    private static string Name(int host) => $"h{host}.shop.svc.cluster.local";

    private static EndpointConfig[] Of(int host, int skip = 0) =>
        [.. Enumerable.Range(skip, Endpoints).Select(i => new EndpointConfig { Address = $"10.{host / 250}.{host % 250}.{i + 1}", Port = 8080, Identity = "spiffe://cluster.local/ns/shop/sa/default" })];

    [Fact]
    public async Task A_change_costs_what_it_touches()
    {
        await using var bed = new MeshBed();
        bed.Apply([.. Enumerable.Range(0, Hosts).SelectMany(i => MeshBed.Host(Name(i), $"127.2.{i / 250}.{(i % 250) + 1}", 80, PortProtocol.Http, Of(i)))]);
        // Two hosts that are called, so that their routes are in use.
        bed.Apply(MeshBed.Workload("client", "127.1.0.1"), Routes(0, 200), Routes(1, 200));
        Assert.Equal(200, bed.Get("127.1.0.1", "127.2.0.1", 80).Status);
        Assert.Equal(200, bed.Get("127.1.0.1", "127.2.0.2", 80).Status);

        // Of a step with one change among 4,000 units; twice what was measured.
        AssertBelow(60_000, "endpoints", i => bed.Apply(MeshBed.Backends(Name(i % 50), 80, Of(i % 50, skip: i % 2))));
        AssertBelow(40_000, "routes", i => bed.Apply(Routes(i % 2, 200 + (i % 4))));
        AssertBelow(40_000, "workloads", i => bed.Apply(MeshBed.Workload($"w{i % 20}", $"127.1.7.{(i % 20) + 1}", account: $"a{i % 3}")));
    }

    /// <summary>10,000 routes of the front door: of 10,000 hosts, or ten each of 1,000.</summary>
    [Theory]
    [InlineData(10_000, 1)]
    [InlineData(1_000, 10)]
    public async Task A_change_of_a_host_of_the_front_door_costs_that_host(int hosts, int routes)
    {
        await using var bed = new MeshBed(door: IPAddress.Parse("127.3.0.1"));
        bed.Apply([
            UnitCodec.Listener(new ListenerUnit { Listener = new ListenerConfig { Name = "gateway/80", Port = 0, RouteTable = "gateway/80" } }),
            .. Enumerable.Range(0, hosts).Select(host => Door(host, routes, 204)),
        ]);
        Assert.Equal(204, Status(bed, $"h{hosts - 1}.example", "/p0"));

        // Reading the unit is a part of it: ten routes of a host come together.
        AssertBelow(200_000, $"door of {hosts} hosts", i => bed.Apply(Door(i % 20, routes, 205 + (i % 4))));

        Assert.Equal(204, Status(bed, $"h{hosts - 1}.example", $"/p{routes - 1}"));
        Assert.Equal(205 + (99 % 4), Status(bed, "h19.example", $"/p{routes - 1}"));
    }

    private static ConfigUnit Door(int host, int routes, int status) => UnitCodec.Routes(new RouteTableConfig
    {
        Name = "gateway/80",
        Hosts =
        [
            new VirtualHostConfig
            {
                Name = $"h{host}.example", Domains = [$"h{host}.example"],
                Routes = [.. Enumerable.Range(0, routes).Select(i => new RouteConfig { Name = $"r{i}~h{host}", Matches = [new RouteMatch { Path = new PathMatch(PathMatchKind.Prefix, $"/p{i}") }], Action = new DirectResponse { Status = status } })],
            },
        ],
    }, $"h{host}.example");

    private static int Status(MeshBed bed, string host, string path)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        socket.Connect(bed.Proxy.DoorAddresses["gateway/80"]);
        return int.Parse(EngineBed.Ask(socket, $"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").AsSpan(9, 3), CultureInfo.InvariantCulture);
    }

    /// <summary>Of a connection that stands: what the mesh adds to a request (who sends, whose the endpoint is, which way leads there, what it is called in records) allocates nothing.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_allocates_nothing(bool asked)
    {
        const string Host = "a.shop.svc.cluster.local", Client = "127.1.0.1";
        await using var bed = new MeshBed();
        using var pod = new RecordingUpstream(bodyBytes: 10);
        var address = pod.Address.Address.ToString();
        var policy = new AuthorizationPolicyConfig { Name = "shop/p", Action = AuthorizationAction.Deny, Rules = [new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/no"] }] }] };
        bed.Apply([
            MeshBed.Workload("client", Client), MeshBed.Workload("pod", address, more: unit => asked ? unit with { Policies = ["shop/p"] } : unit),
            UnitCodec.Policy("shop/p", new PolicyUnit { Authorization = policy }),
            .. MeshBed.Host(Host, "127.2.0.1", 80, PortProtocol.Http, new EndpointConfig { Address = address, Port = pod.Address.Port }),
        ]);
        using var socket = bed.Dial(Client, "127.2.0.1", 80);
        Ask(2_000);
        var before = bed.Proxy.Engine.AllocatedBytes;
        Ask(2_000);
        // Access records are taken off the loops; what is left is the noise of timers.
        Assert.InRange((bed.Proxy.Engine.AllocatedBytes - before) / 2_000, 0, 8);

        void Ask(int times)
        {
            for (var i = 0; i < times; i++)
                Assert.Equal(200, MeshBed.Get(socket).Status);
        }
    }

    private static ConfigUnit Routes(int host, int status) => MeshBed.Routes(Name(host), 80, new RouteConfig { Name = "fixed", Action = new DirectResponse { Status = status } });

    // Allocations of the thread that applies, which are the same whatever else the machine does.
    private static void AssertBelow(long bytes, string what, Action<int> change)
    {
        const int Steps = 100;
        for (var i = 0; i < Steps; i++)
            change(i);
        var (allocated, started) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        for (var i = 0; i < Steps; i++)
            change(i);
        var each = (GC.GetAllocatedBytesForCurrentThread() - allocated) / Steps;
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {each} bytes, {Stopwatch.GetElapsedTime(started).TotalMilliseconds / Steps:0.00} ms");
        Assert.InRange(each, 1, bytes);
    }
}
