using System.Net;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Upstream.Clusters;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>What a node keeps for itself is nobody's through its proxy: not by a name that leads there, and not by the address.</summary>
public sealed class OffLimitsTests : IDisposable
{
    private const string Name = "shop.example", Client = "127.1.0.1", Service = "127.2.0.1";
    private readonly NameServer _server = new();
    private readonly LogLines _log = new();
    private readonly ManualTime _time = new();

    public void Dispose()
    {
        _server.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.9.9.9")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("fe80::1")]
    [InlineData("ff02::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::127.0.0.1")]
    [InlineData("10.96.0.10")]
    [InlineData("::ffff:10.96.0.10")]
    [InlineData("10.244.0.1")]
    [InlineData("::ffff:10.244.255.2")]
    [InlineData("10.96.0.99")]
    public async Task A_name_of_the_mesh_does_not_lead_to_the_node(string address)
    {
        _server.Addresses(Name, 60, address);
        Assert.Empty(await FoundAsync(new DnsDiscovery(Name, 80) { Servers = [_server.Address] }));
        Assert.Contains(_log.Text, line => line.Contains(Name, StringComparison.Ordinal) && line.Contains(address, StringComparison.Ordinal));
        Assert.Single(await FoundAsync(new DnsDiscovery(Name, 80) { Servers = [_server.Address] }, inMesh: false));
    }

    [Theory]
    [InlineData("10.244.1.7")]
    [InlineData("10.96.0.7")]
    [InlineData("192.0.2.1")]
    public async Task A_name_leads_to_pods_services_and_what_is_outside(string address)
    {
        _server.Addresses(Name, 60, address);
        Assert.Equal([$"{address}:80"], await FoundAsync(new DnsDiscovery(Name, 80) { Servers = [_server.Address] }));
    }

    [Fact]
    public async Task Nor_by_the_system_and_a_proxy_without_a_mesh_finds_localhost()
    {
        Assert.Empty(await FoundAsync(new DnsDiscovery("localhost", 80)));
        Assert.NotEmpty(await FoundAsync(new DnsDiscovery("localhost", 80), inMesh: false));
    }

    [Fact]
    public async Task Nor_by_services_whose_other_targets_stay()
    {
        _server.Services(Name, 60, (0, 1, 80, "a.example"), (0, 1, 8500, "b.example"));
        _server.Addresses("a.example", 60, "10.1.0.1", "fd00::1");
        _server.Addresses("b.example", 60, "127.0.0.1");
        Assert.Equal(["10.1.0.1:80", "[fd00::1]:80"], (await FoundAsync(new DnsDiscovery(Name) { Srv = true, Servers = [_server.Address] })).Order(StringComparer.Ordinal));
    }

    /// <summary>What was found before does not stay in place of an answer that is not used.</summary>
    [Fact]
    public async Task A_name_that_moves_to_the_node_has_nobody_and_that_is_told_once()
    {
        _server.Addresses(Name, 60, "10.1.0.1");
        var config = new ClusterConfig { Name = "c", Dns = new DnsDiscovery(Name, 80) { Servers = [_server.Address] } };
        await using var driver = Driver(config);
        await driver.ApplyAsync(config, InMesh, default);
        Assert.Single(driver.Cluster.Describe());
        _server.Addresses(Name, 60, "127.0.0.1");
        foreach (var _ in Enumerable.Range(0, 3))
        {
            var asked = _server.Asked.Count;
            await Eventually.TrueAsync(() =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return _server.Asked.Count >= asked + 2 && !driver.Cluster.Describe().Any();
            });
        }

        Assert.Single(_log.Text, line => line.Contains("may lead", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_asks_for_such_a_name_is_told_that_nobody_is_there()
    {
        using var registry = new Pod("registry", "127.0.0.1");
        await using var bed = new MeshBed(loggers: _log);
        var host = MeshBed.Host("out.example", Service, 80, PortProtocol.Http);
        host[2] = UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = "out.example:80", Dns = new DnsDiscovery("localhost", registry.Port) } });
        bed.Apply([MeshBed.Workload("client", Client), .. host]);
        await Eventually.TrueAsync(() => _log.Text.Any(line => line.Contains("localhost of cluster", StringComparison.Ordinal)));
        Assert.Equal(503, bed.Get(Client, Service, 80).Status);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("169.254.169.254")]
    public async Task A_connection_that_was_meant_for_the_node_itself_is_closed(string address)
    {
        using var registry = new Pod("registry", "127.0.0.1");
        await using var bed = new MeshBed();
        bed.Apply(MeshBed.Workload("client", Client));
        using var socket = bed.Dial(Client, address, registry.Port);
        MeshBed.AssertClosed(socket);
        Assert.Equal(1, bed.Proxy.Loops[0].Outbound.Refused);
    }

    // A service and a pod.
    private static MeshView Seen
    {
        get
        {
            var indexes = new MeshIndexes();
            indexes.SetHosts([("web.shop.svc.cluster.local", new DestinationUnit { Addresses = ["10.96.0.7"] })]);
            indexes.SetWorkloads([("shop/web-1", new WorkloadUnit { Namespace = "shop", Addresses = ["10.244.1.7"] })]);
            return indexes.View;
        }
    }

    private static ConnectWay InMesh
    {
        get
        {
            var nobody = new MeshSource(null, new LocalWorkload("", "", "", "", default), null);
            return ConnectWay.Plain with
            {
                Paths = new MeshPaths(MeshBed.Node, nobody, new Nobody(), null, new OffLimits([IPAddress.Parse("10.96.0.10")], [], [IPNetwork.Parse("10.244.0.0/16"), IPNetwork.Parse("10.96.0.0/16")]), () => Seen, (_, _, _, _, _) => { }),
            };
        }
    }

    private ClusterDriver Driver(ClusterConfig config) => new(config, default, 1, new ProxyClock(_time), Seeded.Random(1), _log, () => { });

    private async Task<IReadOnlyList<string>> FoundAsync(DnsDiscovery dns, bool inMesh = true)
    {
        var config = new ClusterConfig { Name = "c", Dns = dns };
        await using var driver = Driver(config);
        await driver.ApplyAsync(config, inMesh ? InMesh : ConnectWay.Plain, default);
        return [.. driver.Cluster.Describe().Select(one => one.Endpoint.Address.ToString())];
    }

    private sealed class Nobody : ILocalWorkloads
    {
        public LocalWorkload? Find(IPAddress address) => null;
    }
}
