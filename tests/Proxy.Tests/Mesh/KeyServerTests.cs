using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Weft.Jose;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Filters.Jwt;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Upstream.Clusters;
using Weft.Proxy.Upstream.Discovery;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>Where a node's proxy fetches keys of issuers because a tenant said so, and where it does not.</summary>
public sealed class KeyServerTests : IAsyncLifetime
{
    private const string Name = "a.shop.svc.cluster.local", Service = "127.2.0.1", Client = "127.1.0.1", Own = "127.9.6.1", Door = "istio-ingressgateway.istio-system.svc.cluster.local", Entry = "login.example";
    private readonly SigningKey _key = SigningKey.CreateEs256();
    private readonly LogLines _log = new();
    private readonly Pod _pod = new("pod", "127.1.0.11"), _node = new("node", Own);
    private readonly MeshBed _bed;
    private KeyServer _keys = null!;

    // Addresses of balancers are on a node's own interface.
    public KeyServerTests() => _bed = new MeshBed(loggers: _log, ranges: "127.9.5.0/24", own: $"{Own},127.2.0.98,127.2.0.99");

    public async ValueTask InitializeAsync()
    {
        _keys = await KeyServer.StartAsync(IPAddress.Parse("127.1.0.14"), _key);
        _bed.Apply([MeshBed.Workload("client", Client, "front"), MeshBed.Workload("pod", _pod.Address, more: unit => unit with { Tokens = ["shop/tokens"] }), .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_pod))]);
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        await _keys.DisposeAsync();
        _pod.Dispose();
        _node.Dispose();
        _key.Dispose();
        _log.Dispose();
    }

    /// <summary>Anybody outside may ask there, too. At the node's own addresses only with TLS: there it cannot be told whether another has the port.</summary>
    [Theory]
    [InlineData("127.2.0.99:80", true)]
    [InlineData("127.2.0.99:443", true)]
    [InlineData(Own + ":443", true)]
    [InlineData(Own + ":80", false)]
    [InlineData(Own + ":8443", false)]
    [InlineData("127.2.0.99:8443", false)]
    [InlineData("127.2.0.98:80", false)]
    public void The_front_door_is_asked_for_keys_where_everybody_finds_it(string place, bool asked)
    {
        using var others = new Pod("others", "127.1.0.12");
        var at = Endpoint(_keys);
        _bed.Apply([
            .. Shared(Door, "127.2.0.99", "", (80, PortProtocol.Http, at), (443, PortProtocol.Tls, at)), .. Shared("other.shop.svc.cluster.local", "127.2.0.98", "2026", (80, PortProtocol.Http, MeshBed.Endpoint(others))),
            Tokens($"http://{place}/keys"),
        ]);
        Assert.Equal(asked ? 200 : 401, Ask());
        Assert.Equal(asked ? 1 : 0, _keys.Fetches);
        Assert.Equal(0, others.Served + _node.Served);
    }

    [Fact]
    public void Another_service_that_was_first_at_an_address_of_the_door_is_not_the_door()
    {
        _bed.Apply([
            .. Shared(Door, "127.2.0.99", "2026", (443, PortProtocol.Tls, Endpoint(_keys))), .. Shared("other.shop.svc.cluster.local", "127.2.0.99", "2025", (443, PortProtocol.Tls, Endpoint(_keys))),
            Tokens("http://127.2.0.99:443/keys"),
        ]);
        Assert.Equal(401, Ask());
        Assert.Equal(0, _keys.Fetches);
    }

    [Fact]
    public void No_endpoint_that_a_tenant_wrote_down_leads_to_the_node()
    {
        _bed.Apply([.. Declared(new EndpointConfig { Address = Own, Port = _node.Port }), Tokens($"http://{Entry}/keys")]);
        Assert.Equal(401, Ask());
        Assert.Equal(0, _node.Served);
        Assert.Contains(_log.Text, line => line.Contains($"{Entry} leads to {Own}, where no keys are fetched from", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_several_endpoints_those_are_asked_that_may_be()
    {
        _bed.Apply([
            .. Declared(new EndpointConfig { Address = Own, Port = _node.Port, Weight = 100 }, new EndpointConfig { Address = "127.9.5.1", Port = _node.Port, Weight = 100 }, Endpoint(_keys)), Tokens($"http://{Entry}/keys"),
        ]);
        Assert.Equal(200, Ask());
        Assert.Equal((0, 1), (_node.Served, _keys.Fetches));
    }

    /// <summary>Also when its name is that of a service, which there is not.</summary>
    [Theory]
    [InlineData(Entry)]
    [InlineData("login.auth.svc.cluster.local")]
    public async Task Nor_does_a_name_that_a_tenant_wrote_down(string entry)
    {
        using var names = new NameServer();
        names.Addresses("elsewhere.example", 60, Own);
        _bed.Apply([
            UnitCodec.Destination(entry, new DestinationUnit { Declared = true, Ports = [new DestinationPort { Port = 80, Protocol = PortProtocol.Http }] }),
            UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{entry}:80", Dns = new DnsDiscovery("elsewhere.example", _node.Port) { Servers = [names.Address] } }, Host = entry, Port = 80 }),
            Tokens($"http://{entry}/keys"),
        ]);
        await Eventually.TrueAsync(() => _bed.Proxy.Engine.Clusters[$"{entry}:80"].Describe().Any());
        Assert.Equal(401, Ask());
        Assert.Equal(0, _node.Served);
    }

    /// <summary>Of a node's own addresses those with the door's ports mean the door, whoever wrote them down.</summary>
    [Fact]
    public void An_endpoint_that_is_the_front_door_leads_there()
    {
        _bed.Apply([.. Shared(Door, "127.2.0.99", "", (443, PortProtocol.Tls, Endpoint(_keys))), .. Declared(new EndpointConfig { Address = Own, Port = 443 }), Tokens($"http://{Entry}/keys")]);
        Assert.Equal(200, Ask());
        Assert.Equal(1, _keys.Fetches);
    }

    /// <summary>A host that comes, and is not for all, is none of the others' while its step is taken over.</summary>
    [Fact]
    public async Task Whom_a_new_host_is_for_is_known_before_it_can_be_asked()
    {
        _bed.Apply([Tokens($"http://{Entry}/keys"), .. MeshBed.Host("gone.shop.svc.cluster.local", "127.2.0.3", 80, PortProtocol.Http, MeshBed.Endpoint(_pod))]);
        using var halted = new ManualResetEventSlim();
        // What a step withdraws waits for all loops, when its clusters and policies are there.
        var halting = _bed.Proxy.Loops[1].Loop.PostAsync(halted.Wait);
        var applying = Task.Run(() => _bed.Apply([MeshBed.Backends("gone.shop.svc.cluster.local", 80), .. Declared(["auth"], Endpoint(_keys))]));
        try
        {
            await Eventually.TrueAsync(() => _bed.Proxy.Engine.Clusters.TryGetValue($"{Entry}:80", out var cluster) && cluster.Describe().Any());
            Assert.False(applying.IsCompleted);
            Assert.Equal(401, Ask());
            Assert.Equal(0, _keys.Fetches);
        }
        finally
        {
            halted.Set();
            await halting;
            await applying;
        }
    }

    /// <summary>RFC 6066, section 3; RFC 9110, section 7.2: of a name that is written in another way TLS gets the name, and the server what was written but for its case.</summary>
    [Theory]
    [InlineData("Login.Example", "login.example")]
    [InlineData("LOGIN.example.", "login.example.")]
    public void A_name_with_a_dot_at_its_end_and_capitals_is_the_same_name(string written, string host)
    {
        _bed.Apply([.. Declared(Endpoint(_keys)), Tokens($"http://{written}/keys")]);
        Assert.Equal(200, Ask());
        Assert.Equal(host, _keys.Host);
    }

    [Fact]
    public async Task And_TLS_asks_for_the_name_that_it_was_found_by()
    {
        using var listener = new TcpListener(IPAddress.Parse("127.1.0.13"), 0);
        listener.Start();
        _bed.Apply([.. Declared(new EndpointConfig { Address = "127.1.0.13", Port = ((IPEndPoint)listener.LocalEndpoint).Port }), Tokens($"https://LOGIN.example.:80/keys")]);
        var asking = Task.Run(() => Ask());
        using (var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken))
        await using (var tls = new SslStream(client.GetStream()))
        {
            var asked = "";
            await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsServerAsync((_, hello, _, _) =>
            {
                asked = hello.ServerName;
                throw new AuthenticationException("that was all");
            }, null, TestContext.Current.CancellationToken));
            Assert.Equal("login.example", asked);
        }

        Assert.Equal(401, await asking);
    }

    [Theory]
    [InlineData("", "issuer.")]
    [InlineData("10.0.0.7 issuer.corp # issuer\n", "issuer.")]
    [InlineData("# 10.0.0.9 issuer\n10.0.0.7\tkeys ISSUER\n::1 issuer\n", null)]
    public async Task A_whole_name_is_asked_for_without_the_domains_of_the_machine(string hosts, string? asked)
    {
        var (names, seen) = Names("192.0.2.1", hosts);
        var found = await names.FindWholeAsync("issuer", TestContext.Current.CancellationToken);
        Assert.Equal(asked is null ? [] : [asked], seen);
        Assert.Equal(asked is null ? ["10.0.0.7", "::1"] : ["192.0.2.1"], found.Select(address => address.ToString()));
    }

    /// <summary>Who writes a file for a proxy of their own knows the machine, and means it.</summary>
    [Theory]
    [InlineData("issuer", true, "issuer.")]
    [InlineData("Issuer.Example.", true, "issuer.example.")]
    [InlineData("Issuer", false, "issuer")]
    public async Task A_name_that_a_tenant_wrote_is_asked_for_whole(string written, bool inMesh, string asked)
    {
        var (names, seen) = Names("127.1.0.14");
        var paths = new MeshPaths(MeshBed.Node, new MeshSource(null, new LocalWorkload("", "", "", "", default), null), new Nobody(), null, new OffLimits([], [IPNetwork.Parse("127.1.0.0/16")], []), () => MeshView.Empty, (_, _, _, _, _) => { });
        var servers = new KeyServers(() => new Dictionary<string, Cluster>(), () => inMesh ? paths : null, names, (_, _, _) => throw new InvalidOperationException("there is no cluster"));
        await using var stream = await servers.ConnectAsync(new DnsEndPoint(written, new Uri(_keys.Uri).Port), "shop", TestContext.Current.CancellationToken);
        Assert.Equal([asked], seen);
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData("127.9.5.0/24", 0)]
    public async Task Whoever_does_not_know_the_ranges_of_the_cluster_says_so_once(string? ranges, int lines)
    {
        await using var bed = new MeshBed(loggers: _log, ranges: ranges);
        await bed.Proxy.StartAsync();
        Assert.Equal(lines, _log.Text.Count(line => line.StartsWith("the ranges of pods, services and nodes are not known", StringComparison.Ordinal)));
    }

    private static (MachineNames Names, List<string> Asked) Names(string answer, string hosts = "")
    {
        var asked = new List<string>();
        return (new MachineNames(() => hosts, (name, _) =>
        {
            asked.Add(name);
            return Task.FromResult<IPAddress[]>([IPAddress.Parse(answer)]);
        }), asked);
    }

    private int Ask() => _bed.Get(Client, Service, 80, headers: $"Authorization: Bearer {KeyServer.Sign(_key)}\r\n").Status;

    private static EndpointConfig Endpoint(KeyServer keys) => new() { Address = "127.1.0.14", Port = new Uri(keys.Uri).Port };

    private static ConfigUnit[] Declared(params EndpointConfig[] endpoints) => Declared(["*"], endpoints);

    // As of an entry.
    private static ConfigUnit[] Declared(ValueList<string> namespaces, params EndpointConfig[] endpoints) =>
    [
        UnitCodec.Destination(Entry, new DestinationUnit { Declared = true, Namespaces = namespaces, Ports = [new DestinationPort { Port = 80, Protocol = PortProtocol.Http }] }),
        UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Entry}:80" }, Host = Entry, Port = 80 }), MeshBed.Backends(Entry, 80, endpoints),
        UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Entry}:443" }, Host = Entry, Port = 443 }),
    ];

    // As of a load balancer.
    private static ConfigUnit[] Shared(string name, string address, string age, params (int Port, PortProtocol Protocol, EndpointConfig Endpoint)[] ports) =>
    [
        UnitCodec.Destination(name, new DestinationUnit { Shared = [address], Age = age, Ports = ports.Select(port => new DestinationPort { Port = port.Port, Protocol = port.Protocol }).ToValueList() }),
        .. ports.Select(port => UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{name}:{port.Port}" }, Host = name, Port = port.Port })),
        UnitCodec.Backends($"slice/{name}", new BackendsUnit { Host = name, Ports = ports.Select(port => new BackendPort(port.Port, [port.Endpoint])).ToValueList() }),
    ];

    private static ConfigUnit Tokens(string uri) =>
        UnitCodec.Tokens("shop/tokens", new TokensUnit { Providers = [new JwtProviderConfig { Name = "shop/tokens/0", Issuer = KeyServer.Issuer, JwksUri = uri }] });

    private sealed class Nobody : ILocalWorkloads
    {
        public LocalWorkload? Find(IPAddress address) => null;
    }
}
