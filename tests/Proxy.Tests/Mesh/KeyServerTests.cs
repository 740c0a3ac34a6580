using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Weft.Balancing.Health;
using Weft.Jose;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
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
    private const string Name = "a.shop.svc.cluster.local", Service = "127.2.0.1", Client = "127.1.0.1", Own = "127.9.6.1", Door = "istio-ingressgateway.istio-system.svc.cluster.local", Entry = "login.example", Other = "other.shop.svc.cluster.local";
    private readonly SigningKey _key = SigningKey.CreateEs256();
    private readonly LogLines _log = new();
    private readonly Pod _pod = new("pod", "127.1.0.11"), _node = new("node", Own);
    private readonly MeshBed _bed;
    private KeyServer _keys = null!;

    // Addresses of balancers are on a node's own interface.
    public KeyServerTests() => _bed = new MeshBed(loggers: _log, ranges: "127.9.5.0/24", own: $"{Own},127.2.0.97,127.2.0.98,127.2.0.99", pool: "127.2.0.97/32");

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
            .. Shared(Door, "127.2.0.99", "", (80, PortProtocol.Http, at), (443, PortProtocol.Tls, at)), .. Shared(Other, "127.2.0.98", "2026", (80, PortProtocol.Http, MeshBed.Endpoint(others))),
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
            .. Shared(Door, "127.2.0.99", "2026", (443, PortProtocol.Tls, Endpoint(_keys))), .. Shared(Other, "127.2.0.99", "2025", (443, PortProtocol.Tls, Endpoint(_keys))),
            Tokens("http://127.2.0.99:443/keys"),
        ]);
        Assert.Equal(401, Ask());
        Assert.Equal(0, _keys.Fetches);
    }

    /// <summary>What the cluster gave an address to is what everybody finds there, whoever wrote the address down. By another port it is nobody's, and in the cluster's ranges what has it is a node.</summary>
    [Theory]
    [InlineData("127.2.0.97", 80, true, true)]
    [InlineData("127.2.0.97", 80, false, true)]
    [InlineData("127.2.0.97", 81, true, false)]
    [InlineData("127.2.0.97", 81, false, false)]
    [InlineData("127.9.5.2", 80, true, false)]
    [InlineData("127.9.5.2", 80, false, false)]
    public void A_service_is_asked_for_keys_at_the_address_of_its_balancer(string address, int port, bool straight, bool asked)
    {
        _bed.Apply([
            .. Shared(Other, address, "2026", (80, PortProtocol.Http, Endpoint(_keys))),
            .. Declared(new EndpointConfig { Address = address, Port = port }), Tokens($"http://{(straight ? $"{address}:{port}" : Entry)}/keys"),
        ]);
        Assert.Equal(asked ? 200 : 401, Ask());
        Assert.Equal(asked ? 1 : 0, _keys.Fetches);
    }

    /// <summary>By externalIPs a service takes an address for the cluster alone: who is there for everybody else has the name's certificate.</summary>
    [Fact]
    public async Task A_service_that_took_an_address_by_itself_is_asked_there_over_TLS()
    {
        using var listener = new TcpListener(IPAddress.Parse("127.1.0.13"), 0);
        listener.Start();
        _bed.Apply([.. Shared(Other, "127.2.0.98", "2026", (443, PortProtocol.Tls, new EndpointConfig { Address = "127.1.0.13", Port = ((IPEndPoint)listener.LocalEndpoint).Port })), Tokens("https://127.2.0.98/keys")]);
        var (coming, asking) = (listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask(), Task.Run(Ask));
        Assert.Same(coming, await Task.WhenAny(coming, asking));
        using (var client = await coming)
            Assert.Equal(0x16, client.GetStream().ReadByte());
        Assert.Equal(401, await asking);
    }

    /// <summary>The proxy is asked who it is there as anywhere: it comes as the front door.</summary>
    [Theory]
    [InlineData(MutualTls.Strict, AuthorizationAction.Allow, "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account", 200)]
    [InlineData(MutualTls.Strict, AuthorizationAction.Allow, "cluster.local/ns/shop/sa/front", 401)]
    [InlineData(MutualTls.Permissive, AuthorizationAction.Deny, "*", 401)]
    public void The_rules_of_a_service_hold_at_the_address_of_its_balancer_too(MutualTls mode, AuthorizationAction action, string principal, int status)
    {
        var policy = new AuthorizationPolicyConfig { Name = "shop/own", Action = action, Rules = [new AuthorizationRule { From = [new AuthorizationSource { Principals = [principal] }] }] };
        _bed.Apply([
            .. Shared(Other, "127.2.0.97", "2026", (80, PortProtocol.Http, Endpoint(_keys) with { Identity = "spiffe://cluster.local/ns/shop/sa/keys" })), UnitCodec.Policy("shop/own", new PolicyUnit { Authorization = policy }),
            MeshBed.Workload("keys", "127.1.0.14", "keys", more: unit => unit with { Policies = ["shop/own"], MutualTls = mode }), Tokens("http://127.2.0.97/keys"),
        ]);
        Assert.Equal(status, Ask());
        Assert.Equal(status == 200 ? 1 : 0, _keys.Fetches);
    }

    /// <summary>A step says whose names are whose, then changes clusters, then serves by both; a cluster is one that was there before or one that comes.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_that_changes_hands_while_it_is_asked_for_is_nobodys(bool goes)
    {
        var others = Kept(Entry, "auth");
        var (view, newest) = goes ? (others, others) : (MeshView.Empty, MeshView.Empty);
        var servers = new KeyServers(
            () =>
            {
                (view, newest) = goes ? (MeshView.Empty, MeshView.Empty) : (view, others);
                return Clusters($"{Entry}:80");
            }, () => Paths(() => view, () => newest), Unknown, (_, _, _) => throw new InvalidOperationException("it is another namespace's"));
        var refused = await Assert.ThrowsAsync<IOException>(() => servers.ConnectAsync(new DnsEndPoint(Entry, 80), isTls: true, "shop", TestContext.Current.CancellationToken).AsTask());
        Assert.Contains("not for policies of namespace 'shop'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task And_a_service_whose_name_becomes_an_entrys_is_not_found_by_its_address()
    {
        var service = ViewOf(Shared(Other, "192.0.2.97", "2026", (443, PortProtocol.Tls, new EndpointConfig { Address = "192.0.2.7", Port = 443 })));
        var newest = service;
        var servers = new KeyServers(
            () =>
            {
                newest = Kept(Other, "auth");
                return Clusters($"{Other}:443");
            }, () => Paths(() => service, () => newest), Unknown, (_, _, _) => throw new InvalidOperationException("it is an entry's"));
        await Assert.ThrowsAsync<IOException>(() => servers.ConnectAsync(new DnsEndPoint("192.0.2.97", 443), isTls: true, "shop", TestContext.Current.CancellationToken).AsTask());
    }

    /// <summary>The endpoints of a cluster are others' as soon as its name is, and whoever has the cluster chooses among them.</summary>
    [Fact]
    public void An_endpoint_is_judged_by_whose_the_name_is_when_it_is_chosen()
    {
        var newest = MeshView.Empty;
        var paths = Paths(() => MeshView.Empty, () => newest);
        var endpoint = new UpstreamEndpoint(new EndpointConfig { Address = "192.0.2.7", Port = 443 }, IPEndPoint.Parse("192.0.2.7:443"), 1, 0);
        ConnectionFacts[] all = [ConnectionFacts.OfProxy with { Keys = new KeyFetch(Entry, "shop") }, ConnectionFacts.OfProxy with { Keys = new KeyFetch(Entry, null) }];
        Assert.All(all, facts => Assert.Null(paths.Of(endpoint, facts, MeshTls.Never)));
        newest = Kept(Entry, "auth");
        Assert.All(all, facts => Assert.Equal(MeshPathKind.Refused, paths.Of(endpoint, facts, MeshTls.Never)?.Kind));
    }

    /// <summary>After a start, or a hand-over, requests come before all is served: a token that finds no keys then is refused for ten seconds.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_comes_is_known_as_what_is_served(bool served)
    {
        var known = ViewOf([
            MeshBed.Workload("pod", "10.244.1.7"), .. Shared(Door, "192.0.2.99", "", (443, PortProtocol.Tls, new EndpointConfig { Address = "192.0.2.7", Port = 443 })), .. Shared(Other, "192.0.2.97", "2026", (443, PortProtocol.Tls, new EndpointConfig { Address = "192.0.2.7", Port = 443 })),
            .. Shared("taken.shop.svc.cluster.local", "10.244.9.9", "2026", (443, PortProtocol.Tls, new EndpointConfig { Address = "192.0.2.7", Port = 443 })),
        ]);
        var paths = Paths(() => served ? known : MeshView.Empty, () => served ? MeshView.Empty : known);
        Assert.True(paths.MayAskEndpoint(IPAddress.Parse("10.244.1.7")));
        Assert.True(paths.MayResolveTo(IPAddress.Parse("10.244.1.7")));
        Assert.False(paths.MayAskEndpoint(IPAddress.Parse("10.244.1.8")));
        Assert.Equal((Door, Door, Other), (paths.ServiceAt(IPEndPoint.Parse("192.0.2.99:443"), isTls: false), paths.ServiceAt(IPEndPoint.Parse("192.0.2.1:443"), isTls: true), paths.ServiceAt(IPEndPoint.Parse("192.0.2.97:443"), isTls: true)));
        foreach (var (at, isTls) in new[] { ("192.0.2.97:443", false), ("192.0.2.97:444", true), ("10.244.9.9:443", true), ("127.0.0.1:443", true) })
            Assert.Null(paths.ServiceAt(IPEndPoint.Parse(at), isTls));
    }

    /// <summary>Others may reach them: that one fetch may not says nothing of them.</summary>
    [Fact]
    public void Endpoints_that_no_keys_are_fetched_from_stay_those_of_all_others()
    {
        var outliers = new OutlierSettings { Consecutive5xx = 1, ConsecutiveLocalErrors = 1, MaxEjectionPercent = 100, Interval = TimeSpan.FromHours(1) };
        _bed.Apply([
            .. Declared(new EndpointConfig { Address = Own, Port = _node.Port, Weight = 100 }, new EndpointConfig { Address = "127.9.5.1", Port = _node.Port, Weight = 100 }, Endpoint(_keys)),
            UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Entry}:80", Outliers = outliers }, Host = Entry, Port = 80 }), Tokens($"http://{Entry}/keys"),
        ]);
        Assert.Equal(200, Ask());
        var cluster = _bed.Proxy.Engine.Clusters[$"{Entry}:80"];
        Assert.False(cluster.HasFailures);
        Assert.All(cluster.Describe(), one => Assert.Equal(EjectionReason.None, one.Reason));
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
        await using var stream = await servers.ConnectAsync(new DnsEndPoint(written, new Uri(_keys.Uri).Port), isTls: false, "shop", TestContext.Current.CancellationToken);
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

    private static MachineNames Unknown { get; } = new(() => "", (_, _) => throw new SocketException((int)SocketError.HostNotFound));

    private static Dictionary<string, Cluster> Clusters(string name) => new() { [name] = new Cluster(new ClusterConfig { Name = name }, default, 1, 0) };

    private static MeshView Kept(string host, string @namespace) => ViewOf(UnitCodec.Destination(host, new DestinationUnit { Declared = true, Namespaces = [@namespace] }));

    private static MeshView ViewOf(params ConfigUnit[] units)
    {
        var state = new MeshState(MeshBed.Node);
        state.Apply([.. units.Select(unit => KeyValuePair.Create(unit.Key, (object?)UnitCodec.Read(unit)))]);
        return state.View;
    }

    private static MeshPaths Paths(Func<MeshView> view, Func<MeshView> newest) => new(
        MeshBed.Node, new MeshSource(null, new LocalWorkload("", "", "", "", default), null), new Nobody(), null, new OffLimits([], [], [IPNetwork.Parse("10.244.0.0/16")]), view, (_, _, _, _, _) => { },
        IPAddress.Parse("192.0.2.1").Equals, newest);

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
