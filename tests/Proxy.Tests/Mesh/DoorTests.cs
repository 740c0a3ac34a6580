using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Jose;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Filters.Jwt;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Tests.Tls;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>Listeners of the front door, at an address of this node, and who they are for pods that ask.</summary>
public sealed class DoorTests : IAsyncLifetime
{
    private const string Name = "a.shop.svc.cluster.local", Door = "127.3.0.1";
    private readonly MeshBed _bed = new(door: IPAddress.Parse(Door));
    private readonly Pod _pod = new("pod", "127.1.0.11");
    private readonly TestAuthority _authority = new();

    public ValueTask InitializeAsync()
    {
        _bed.Apply([
            MeshBed.Workload("pod", _pod.Address), .. MeshBed.Host(Name, "127.2.0.1", 80, PortProtocol.Http, MeshBed.Endpoint(_pod)),
            UnitCodec.Routes(Table("gateway/80", "a.example"), "a.example"), UnitCodec.Routes(Table("gateway/443", "a.example"), "a.example"),
        ]);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        _pod.Dispose();
        _authority.Dispose();
    }

    private static RouteTableConfig Table(string name, string host) => new()
    {
        Name = name,
        Hosts = [new VirtualHostConfig { Name = host, Domains = [host], Routes = [new RouteConfig { Name = host, Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = $"{Name}:80" }] } }] }],
    };

    private static ConfigUnit Listener(string name, Func<ListenerUnit, ListenerUnit>? more = null)
    {
        var unit = new ListenerUnit { Listener = new ListenerConfig { Name = name, Port = 0, RouteTable = name } };
        return UnitCodec.Listener(more?.Invoke(unit) ?? unit);
    }

    private Socket Connect(string name)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        socket.Connect(_bed.Proxy.DoorAddresses[name]);
        return socket;
    }

    [Fact]
    public void Hosts_of_several_units_share_a_port_and_two_of_one_name_do_not()
    {
        Assert.Empty(_bed.Apply(Listener("gateway/80"), UnitCodec.Routes(Table("gateway/80", "b.example"), "b.example")));
        Assert.Equal(Door, _bed.Proxy.DoorAddresses["gateway/80"].Address.ToString());
        foreach (var (host, status) in new[] { ("a.example", 200), ("b.example", 200), ("c.example", 404) })
        {
            using var socket = Connect("gateway/80");
            Assert.StartsWith($"HTTP/1.1 {status}", EngineBed.Ask(socket, $"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), StringComparison.Ordinal);
        }

        var rejected = _bed.Apply(UnitCodec.Routes(Table("gateway/80", "b.example"), "twice"));
        Assert.Contains("gateway/80/twice", Assert.Single(rejected.DistinctBy(one => one.Key)).Key.Name, StringComparison.Ordinal);
        using var still = Connect("gateway/80");
        Assert.StartsWith("HTTP/1.1 200", EngineBed.Ask(still, "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void Policies_of_pods_hold_for_what_comes_by_the_front_door_as_well()
    {
        var policy = new AuthorizationPolicyConfig { Name = "shop/door", Rules = [new AuthorizationRule { From = [new AuthorizationSource { Namespaces = ["istio-system"] }], To = [new AuthorizationOperation { Paths = ["/open"] }] }] };
        _bed.Apply(Listener("gateway/80"), UnitCodec.Policy("shop/door", new PolicyUnit { Authorization = policy }), MeshBed.Workload("pod", _pod.Address, more: unit => unit with { Policies = ["shop/door"] }));
        using var socket = Connect("gateway/80");
        Assert.StartsWith("HTTP/1.1 200", EngineBed.Ask(socket, "GET /open HTTP/1.1\r\nHost: a.example\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 403", EngineBed.Ask(socket, "GET /shut HTTP/1.1\r\nHost: a.example\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_passwords_and_tokens_of_routes_are_asked_for_at_the_door_of_a_node()
    {
        using var key = SigningKey.CreateEs256();
        RouteTableConfig With(string host, FilterConfig filter) => Table("gateway/80", host) is var table ? table with
        {
            Hosts = table.Hosts.Select(one => one with { Routes = one.Routes.Select(route => route with { Filters = [filter] }).ToValueList() }).ToValueList(),
        } : table;
        var issuer = new JwtProviderConfig { Name = "shop/login/0", Issuer = KeyServer.Issuer, Jwks = new DataSource { Inline = new KeySet([key.PublicKey]).ToJson().ToJsonString() } };
        var tokens = new JwtFilter { Issuers = [issuer], Required = [new RequiredClaim("realm.roles", ["admin"])], Scopes = ["write"] };
        Assert.Empty(_bed.Apply(
            Listener("gateway/80"),
            UnitCodec.Routes(With("keys.example", new ApiKeyFilter { Keys = [new ApiKey("acme", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("good"u8)))] }), "keys.example"),
            UnitCodec.Routes(With("users.example", new BasicAuthFilter { Users = new DataSource { Inline = "anna:{SHA}" + Convert.ToBase64String(System.Security.Cryptography.SHA1.HashData("pass"u8)) } }), "users.example"),
            UnitCodec.Routes(With("tokens.example", tokens), "tokens.example"),
            UnitCodec.Routes(With("shut.example", new JwtFilter { Issuers = [issuer with { Name = "none", Jwks = new DataSource { Inline = "{\"keys\":[]}" } }] }), "shut.example"),
            UnitCodec.Routes(With("nobody.example", new JwtFilter()), "nobody.example")));

        var (good, poor, few) = (KeyServer.Sign(key), KeyServer.Sign(key, claims => claims["scope"] = "read"), KeyServer.Sign(key, claims => claims.Remove("realm")));
        Assert.Equal((401, 200), (Status("keys.example"), Status("keys.example", "x-api-key: good")));
        Assert.Equal((401, 200), (Status("users.example"), Status("users.example", "authorization: Basic " + Convert.ToBase64String("anna:pass"u8))));
        Assert.Equal((401, 200), (Status("tokens.example"), Status("tokens.example", $"authorization: Bearer {good}")));
        Assert.Equal((403, 403), (Status("tokens.example", $"authorization: Bearer {poor}"), Status("tokens.example", $"authorization: Bearer {few}")));
        Assert.Equal((401, 401), (Status("shut.example", $"authorization: Bearer {good}"), Status("nobody.example", $"authorization: Bearer {good}")));
        Assert.Equal(200, Status("a.example"));

        // Another requirement takes effect, and what names a file of this machine is not taken.
        _bed.Apply(UnitCodec.Routes(With("tokens.example", tokens with { Scopes = ["delete"] }), "tokens.example"));
        Assert.Equal(403, Status("tokens.example", $"authorization: Bearer {good}"));
        Assert.NotEmpty(_bed.Apply(UnitCodec.Routes(With("file.example", new BasicAuthFilter { Users = new DataSource { File = "/etc/shadow" } }), "file.example")));
        Assert.NotEmpty(_bed.Apply(UnitCodec.Routes(With("keys.example", new ApiKeyFilter { Keys = [new ApiKey("a", new string('0', 64))] }) with { Name = "a.shop.svc.cluster.local:80" })));

        int Status(string host, string field = "x-none: 1")
        {
            using var socket = Connect("gateway/80");
            return int.Parse(EngineBed.Ask(socket, $"GET / HTTP/1.1\r\nHost: {host}\r\n{field}\r\n\r\n").AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public void A_listener_waits_for_its_secret_and_keeps_no_other_from_listening()
    {
        ListenerUnit Tls(ListenerUnit unit) => unit with { Listener = unit.Listener with { Tls = new ListenerTls { Certificates = ["shop/cert"] } } };
        var rejected = _bed.Apply(Listener("gateway/443", Tls), Listener("gateway/80"));
        Assert.Equal(new UnitKey(UnitKind.Listener, "gateway/443"), Assert.Single(rejected).Key);
        Assert.Equal(["gateway/80"], _bed.Proxy.DoorAddresses.Keys);

        using var certificate = _authority.Issue();
        Assert.Empty(_bed.Apply(UnitCodec.Secret("shop/cert", new SecretUnit { Certificate = Encoding.ASCII.GetString(certificate.ChainPem.Span), Key = Encoding.ASCII.GetString(certificate.KeyPem) })));
        using var socket = Connect("gateway/443");
        using var tls = new SslStream(new NetworkStream(socket), false, (_, _, _, _) => true);
        tls.AuthenticateAsClient("a.example");
        tls.Write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"u8);
        var buffer = new byte[4096];
        Assert.StartsWith("HTTP/1.1 200", Encoding.Latin1.GetString(buffer, 0, tls.Read(buffer)), StringComparison.Ordinal);

        // A key that is none: the listener goes, the others stay.
        Assert.Equal(UnitKind.Listener, Assert.Single(_bed.Apply(UnitCodec.Secret("shop/cert", new SecretUnit { Certificate = "none", Key = "none" }))).Key.Kind);
        Assert.Equal(["gateway/80"], _bed.Proxy.DoorAddresses.Keys);
    }

    [Fact]
    public void Of_hosts_with_tls_of_their_own_one_that_waits_for_its_secret_refuses_alone()
    {
        ListenerUnit Tls(ListenerUnit unit) => unit with
        {
            HostSecrets = [new(1, "shop/clients")],
            Listener = unit.Listener with
            {
                Tls = new ListenerTls
                {
                    Hosts =
                    [
                        new() { Names = ["a.example"], Certificates = ["shop/cert"] },
                        new() { Names = ["b.example"], Rules = "mutual", Certificates = ["shop/cert"], ClientCertificates = ClientCertificates.Required },
                    ],
                },
            },
        };
        Assert.Equal(new UnitKey(UnitKind.Listener, "gateway/443"), Assert.Single(_bed.Apply(Listener("gateway/443", Tls), UnitCodec.Routes(Table("gateway/443", "b.example"), "b.example"))).Key);
        using var certificate = _authority.Issue();
        Assert.Empty(_bed.Apply(UnitCodec.Secret("shop/cert", new SecretUnit { Certificate = Encoding.ASCII.GetString(certificate.ChainPem.Span), Key = Encoding.ASCII.GetString(certificate.KeyPem) })));
        using var client = _authority.IssueForDotNet();
        Assert.Equal(("HTTP/1.1 200", null), (Ask("a.example", client), Ask("b.example", client)));
        Assert.Empty(_bed.Apply(UnitCodec.Secret("shop/clients", new SecretUnit { Authorities = Encoding.ASCII.GetString(_authority.Pem) })));
        Assert.Equal(("HTTP/1.1 200", "HTTP/1.1 200", null), (Ask("a.example", null), Ask("b.example", client), Ask("b.example", null)));

        string? Ask(string host, X509Certificate2? shown)
        {
            try
            {
                using var socket = Connect("gateway/443");
                using var tls = new SslStream(new NetworkStream(socket), false, (_, _, _, _) => true, shown is null ? null : (_, _, _, _, _) => shown);
                tls.AuthenticateAsClient(host, shown is null ? null : [shown], checkCertificateRevocation: false);
                tls.Write(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
                var buffer = new byte[4096];
                return tls.Read(buffer) is var got and >= 12 ? Encoding.Latin1.GetString(buffer, 0, 12) : null;
            }
            catch (Exception refused) when (refused is AuthenticationException or IOException)
            {
                return null;
            }
        }
    }

    [Fact]
    public void A_port_that_is_taken_is_told_and_the_others_are_listened_on()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Parse(Door), 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        var rejected = _bed.Apply(Listener("gateway/443", unit => unit with { Listener = unit.Listener with { Port = port } }), Listener("gateway/80"));
        Assert.Contains("cannot be listened on", Assert.Single(rejected).Error, StringComparison.Ordinal);
        Assert.Equal(["gateway/80"], _bed.Proxy.DoorAddresses.Keys);
    }

    [Fact]
    public async Task What_comes_while_no_proxy_is_there_is_answered_by_the_next_one()
    {
        using var keeper = new SocketKeeper();
        ConfigUnit[] units = [Listener("gateway/80"), UnitCodec.Routes(new RouteTableConfig
        {
            Name = "gateway/80", Hosts = [new VirtualHostConfig { Name = "any", Domains = ["*"], Routes = [new RouteConfig { Name = "any", Action = new DirectResponse { Status = 200 } }] }],
        }, "any")];
        var first = Next();
        Assert.Empty(first.Apply(units));
        var address = first.Proxy.DoorAddresses["gateway/80"];
        await first.DisposeAsync();
        var clients = Enumerable.Range(0, 20).Select(_ =>
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
            client.Connect(address);
            return client;
        }).ToList();

        await using var second = Next();
        Assert.Empty(second.Apply(units));

        Assert.Equal(address, second.Proxy.DoorAddresses["gateway/80"]);
        foreach (var client in clients)
        {
            using (client)
                Assert.StartsWith("HTTP/1.1 200", EngineBed.Ask(client, "GET / HTTP/1.1\r\nHost: any\r\n\r\n"), StringComparison.Ordinal);
        }

        // A port that goes is nobody's.
        second.Remove(new UnitKey(UnitKind.Listener, "gateway/80"));
        Assert.Empty(keeper.Names);

        MeshBed Next() => new(door: IPAddress.Parse(Door), inherited: Inheritance.Of(keeper, ticketKeys: null));
    }
}
