using System.Net;
using System.Net.Sockets;
using Weft.Balancing.Health;
using Weft.Jose;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Configuration;
using Weft.Proxy.Mesh;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Transport;
using Weft.Proxy.Tests.Filters.Jwt;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Transport.Interop;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>By which way connections reach endpoints of other nodes, and what a proxy knows after a restart.</summary>
public sealed class WayTests
{
    private const string Client = "127.1.0.1", Other = "127.1.0.2", Service = "127.2.0.1", Name = "a.shop.svc.cluster.local";

    private static WorkloadUnit Far(WorkloadUnit unit) => unit with { Node = "two" };

    [Fact]
    public async Task Endpoints_of_other_nodes_are_reached_by_the_connector_as_the_one_who_sends()
    {
        using var pod = new Pod("far", "127.1.0.11");
        var connector = new Connector();
        await using var bed = new MeshBed(connector);
        bed.Apply([
            MeshBed.Workload("client", Client, "front"), MeshBed.Workload("other", Other, "back"), MeshBed.Workload("far", pod.Address, more: Far),
            .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(pod)),
        ]);
        // Connections of one client serve no other.
        foreach (var client in new[] { Client, Other, Client })
            Assert.Equal(200, bed.Get(client, Service, 80).Status);
        Assert.Equal(200, bed.Get(Client, pod.Address, pod.Port).Status);
        Assert.Equal(["shop/client front spiffe://cluster.local/ns/shop/sa/default", "shop/other back spiffe://cluster.local/ns/shop/sa/default", "shop/client front spiffe://cluster.local/ns/shop/sa/default"], connector.Asked);
    }

    [Fact]
    public async Task What_must_be_encrypted_goes_nowhere_without_a_connector()
    {
        using var pod = new Pod("far", "127.1.0.11");
        await using var bed = new MeshBed();
        var host = MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(pod));
        bed.Apply([MeshBed.Workload("client", Client), MeshBed.Workload("far", pod.Address, more: Far), .. host]);
        Assert.Equal(200, bed.Get(Client, Service, 80).Status);
        bed.Apply(UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Name}:80" }, Host = Name, Port = 80, Mesh = MeshTls.Always }));
        Assert.Equal(503, bed.Get(Client, Service, 80).Status);
    }

    /// <summary>Of another client it may be reached.</summary>
    [Theory]
    [InlineData(PortProtocol.Http)]
    [InlineData(PortProtocol.Tcp)]
    public async Task An_endpoint_that_a_client_may_not_reach_is_no_outlier(PortProtocol protocol)
    {
        using var pod = new Pod("far", "127.1.0.11");
        await using var bed = new MeshBed();
        var outliers = new OutlierSettings { Consecutive5xx = 1, ConsecutiveLocalErrors = 1, MaxEjectionPercent = 100, Interval = TimeSpan.FromHours(1) };
        bed.Apply([
            MeshBed.Workload("client", Client), MeshBed.Workload("far", pod.Address, more: Far), .. MeshBed.Host(Name, Service, 80, protocol, MeshBed.Endpoint(pod)),
            UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Name}:80", Outliers = outliers }, Host = Name, Port = 80, Mesh = MeshTls.Always }),
        ]);
        using (var socket = bed.Dial(Client, Service, 80))
        {
            if (protocol == PortProtocol.Http)
                Assert.Equal(503, MeshBed.Get(socket).Status);
            else
                MeshBed.AssertClosed(socket);
        }

        var cluster = bed.Proxy.Engine.Clusters[$"{Name}:80"];
        Assert.False(cluster.HasFailures);
        Assert.All(cluster.Describe(), one => Assert.Equal(EjectionReason.None, one.Reason));
    }

    [Fact]
    public async Task A_pod_that_is_not_in_the_mesh_sees_its_client_too()
    {
        using var pod = new Pod("pod", "127.1.0.11");
        await using var bed = new MeshBed();
        bed.Apply([
            MeshBed.Workload("client", Client), MeshBed.Workload("pod", pod.Address, more: unit => unit with { Identity = null, MutualTls = MutualTls.Disable }),
            .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, new EndpointConfig { Address = pod.Address, Port = pod.Port }),
        ]);
        Assert.Equal((200, $"pod {Client}"), bed.Get(Client, Service, 80));
    }

    [Fact]
    public async Task A_cluster_may_send_to_the_address_that_was_meant()
    {
        using var pod = new Pod("pod", "127.1.0.11");
        await using var bed = new MeshBed();
        bed.Apply([
            MeshBed.Workload("client", Client),
            .. MeshBed.Host("all.example", "127.1.0.11/32", pod.Port, PortProtocol.Http),
            UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"all.example:{pod.Port}" }, Host = "all.example", Port = pod.Port, OriginalAddress = true }),
        ]);
        Assert.StartsWith("pod ", bed.Get(Client, pod.Address, pod.Port).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pod_is_known_by_its_registration_before_the_configuration_knows_it()
    {
        using var pod = new Pod("pod", "127.1.0.11");
        var local = new Registered();
        await using var proxy = new MeshBed(local: local);
        proxy.Apply([MeshBed.Workload("pod", pod.Address), .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(pod))]);
        using (var early = proxy.Dial(Client, Service, 80))
            MeshBed.AssertClosed(early);
        local.Known[IPAddress.Parse(Client)] = new LocalWorkload("1", "shop", "new", "front", default);
        Assert.Equal((200, $"pod {Client}"), proxy.Get(Client, Service, 80));
        // Whose address it was before does not count: a policy sees who has it now.
        proxy.Apply(
            MeshBed.Workload("old", Client, "back"), MeshBed.Workload("pod", pod.Address, more: unit => unit with { Policies = ["shop/p"] }),
            UnitCodec.Policy("shop/p", new PolicyUnit { Authorization = new AuthorizationPolicyConfig { Name = "shop/p", Rules = [new AuthorizationRule { From = [new AuthorizationSource { Principals = ["cluster.local/ns/shop/sa/front"] }] }] } }));
        Assert.Equal(200, proxy.Get(Client, Service, 80).Status);
    }

    [Fact]
    public async Task A_connection_to_a_pod_that_has_just_come_waits_for_what_holds_for_it()
    {
        using var pod = new Pod("pod", "127.1.0.11");
        var local = new Registered();
        await using var proxy = new MeshBed(local: local);
        proxy.Apply(MeshBed.Workload("other", "127.1.0.12"));
        using (var stranger = proxy.DialInbound(Client, pod.Address, pod.Port))
            MeshBed.AssertReset(stranger);
        local.Known[IPAddress.Parse(pod.Address)] = new LocalWorkload("1", "shop", "pod", "default", default);
        using var early = proxy.DialInbound(Client, pod.Address, pod.Port);
        proxy.Apply(MeshBed.Workload("pod", pod.Address, more: unit => unit with { MutualTls = MutualTls.Strict }));
        // And not for less: it came without an identity.
        MeshBed.AssertReset(early);
        proxy.Apply(MeshBed.Workload("pod", pod.Address));
        local.Known[IPAddress.Parse("127.1.0.13")] = new LocalWorkload("2", "shop", "never", "default", default);
        using var waits = proxy.DialInbound(Client, "127.1.0.13", 80);
        using var served = proxy.DialInbound(Client, pod.Address, pod.Port);
        Assert.Equal((200, $"pod {Client}"), MeshBed.Get(served));
        MeshBed.AssertReset(waits);
    }

    [Fact]
    public async Task A_proxy_that_starts_again_serves_by_what_is_on_its_disk()
    {
        using var directory = new TempDir();
        using var pod = new Pod("pod", "127.1.0.11");
        var file = new ConfigFile(directory.File("configuration"));
        await using (var first = new MeshBed())
        {
            first.Apply([MeshBed.Workload("client", Client), MeshBed.Workload("pod", pod.Address), .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(pod))]);
            file.Save(first.State);
        }

        await using var second = new MeshBed();
        Assert.False(second.Proxy.Configured.IsCompleted);
        Assert.Empty(second.State.Apply(file.Load()!).Rejected);
        Assert.True(second.Proxy.Configured.IsCompleted);
        Assert.Equal((200, $"pod {Client}"), second.Get(Client, Service, 80));
    }

    private sealed class Registered : ILocalWorkloads
    {
        public Dictionary<IPAddress, LocalWorkload> Known { get; } = [];

        public LocalWorkload? Find(IPAddress address) => Known.GetValueOrDefault(address);
    }

    [Fact]
    public async Task Keys_of_tokens_at_a_host_of_the_mesh_are_fetched_as_the_front_door_fetches()
    {
        using var key = SigningKey.CreateEs256();
        await using var keys = await KeyServer.StartAsync(key);
        using var pod = new Pod("pod", "127.1.0.11");
        var (connector, server) = (new Connector(), new Uri(keys.Uri));
        await using var bed = new MeshBed(connector);
        const string Keys = "keys.auth.svc.cluster.local";
        bed.Apply([
            MeshBed.Workload("client", Client, "front"), MeshBed.Workload("keys", "127.0.0.1", "keys", "auth", unit => Far(unit) with { MutualTls = MutualTls.Strict }),
            .. MeshBed.Host(Keys, "127.2.0.7", 80, PortProtocol.Http, new EndpointConfig { Address = "127.0.0.1", Port = server.Port, Identity = "spiffe://cluster.local/ns/auth/sa/keys" }),
            UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Keys}:80" }, Host = Keys, Port = 80 }),
            UnitCodec.Tokens("shop/tokens", new TokensUnit { Providers = [new JwtProviderConfig { Name = "shop/tokens/0", Issuer = KeyServer.Issuer, JwksUri = $"http://{Keys}/keys" }] }),
            MeshBed.Workload("pod", pod.Address, more: unit => unit with { Tokens = ["shop/tokens"] }),
            .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(pod)),
        ]);
        Assert.Equal(200, bed.Get(Client, Service, 80, headers: $"Authorization: Bearer {KeyServer.Sign(key)}\r\n").Status);
        Assert.Equal(["istio-system/istio-ingressgateway istio-ingressgateway-service-account spiffe://cluster.local/ns/auth/sa/keys"], connector.Asked);
        Assert.Equal(1, keys.Fetches);
    }

    [Fact]
    public async Task No_address_of_a_pod_or_a_service_is_asked_for_keys_past_what_guards_it()
    {
        using var key = SigningKey.CreateEs256();
        await using var keys = await KeyServer.StartAsync(key);
        using var pod = new Pod("pod", "127.1.0.11");
        using var other = new Pod("keys", "127.1.0.12");
        await using var bed = new MeshBed();
        bed.Apply([
            MeshBed.Workload("client", Client, "front"), MeshBed.Workload("keys", other.Address, "keys", "auth"),
            UnitCodec.Tokens("shop/tokens", new TokensUnit { Providers = [new JwtProviderConfig { Name = "shop/tokens/0", Issuer = KeyServer.Issuer, JwksUri = $"http://{other.Address}:{other.Port}/keys" }] }),
            MeshBed.Workload("pod", pod.Address, more: unit => unit with { Tokens = ["shop/tokens"] }),
            .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(pod)),
        ]);
        var answer = bed.Get(Client, Service, 80, headers: $"Authorization: Bearer {KeyServer.Sign(key)}\r\n");
        Assert.Equal(401, answer.Status);
        Assert.Equal(0, other.Served);
    }

    /// <summary>Bridges of nodes, and what listens there for the node alone, are nobody's pod and nobody's service; the node's own addresses are none of a tenant's either.</summary>
    [Theory]
    [InlineData("127.9.5.1")]
    [InlineData("127.9.6.1")]
    public async Task No_address_of_a_node_is_asked_for_keys(string address)
    {
        using var key = SigningKey.CreateEs256();
        using var node = new Pod("node", address);
        using var pod = new Pod("pod", "127.1.0.11");
        using var log = new LogLines();
        await using var bed = new MeshBed(loggers: log, ranges: "127.9.5.0/24", own: "127.9.6.1");
        bed.Apply([
            MeshBed.Workload("client", Client, "front"), Tokens("shop", $"http://{node.Address}:{node.Port}/keys"),
            MeshBed.Workload("pod", pod.Address, more: unit => unit with { Tokens = ["shop/tokens"] }),
            .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(pod)),
        ]);
        Assert.Equal(401, bed.Get(Client, Service, 80, headers: $"Authorization: Bearer {KeyServer.Sign(key)}\r\n").Status);
        Assert.Equal(0, node.Served);
        Assert.Contains(log.Text, line => line.Contains($"{address}, where no keys are fetched from", StringComparison.Ordinal));
    }

    /// <summary>Also when the issuer's own document names it, which the compiler does not see.</summary>
    [Theory]
    [InlineData("auth", 200)]
    [InlineData("friend", 200)]
    [InlineData("shop", 401)]
    public async Task A_host_of_the_mesh_is_asked_for_keys_by_those_who_see_it(string @namespace, int status)
    {
        using var key = SigningKey.CreateEs256();
        await using var keys = await KeyServer.StartAsync(key);
        using var pod = new Pod("pod", "127.1.0.11");
        using var log = new LogLines();
        await using var bed = new MeshBed(loggers: log);
        const string Keys = "keys.auth.svc.cluster.local";
        bed.Apply([
            MeshBed.Workload("client", Client, "front"),
            .. MeshBed.Host(Keys, "127.2.0.7", 80, PortProtocol.Http, new EndpointConfig { Address = "127.0.0.1", Port = new Uri(keys.Uri).Port }),
            UnitCodec.Destination(Keys, new DestinationUnit { Addresses = ["127.2.0.7"], Namespaces = ["auth", "friend"] }),
            Tokens(@namespace, $"http://{Keys}/keys"), MeshBed.Workload("pod", pod.Address, more: unit => unit with { Tokens = [$"{@namespace}/tokens"] }),
            .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(pod)),
        ]);
        Assert.Equal(status, bed.Get(Client, Service, 80, headers: $"Authorization: Bearer {KeyServer.Sign(key)}\r\n").Status);
        Assert.Equal(status == 200 ? 1 : 0, keys.Fetches);
        Assert.Equal(status != 200, log.Text.Any(line => line.Contains($"is not for policies of namespace '{@namespace}' (exportTo", StringComparison.Ordinal)));
    }

    private static ConfigUnit Tokens(string @namespace, string uri) =>
        UnitCodec.Tokens($"{@namespace}/tokens", new TokensUnit { Providers = [new JwtProviderConfig { Name = $"{@namespace}/tokens/0", Issuer = KeyServer.Issuer, JwksUri = uri }] });

    private sealed class Connector : IMeshConnector
    {
        private readonly List<string> _asked = [];

        public IReadOnlyList<string> Asked => _asked;

        public int Connect(LocalWorkload source, IPAddress? address, IPEndPoint destination, string expectedIdentity, EventLoop loop)
        {
            _asked.Add($"{source.Namespace}/{source.Name} {source.ServiceAccount} {expectedIdentity}");
            return SocketCalls.Connect(destination.Serialize());
        }
    }
}
