using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Jose;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Tests.Filters.Jwt;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>What comes to pods: their mode, policies and tokens, whichever way it came.</summary>
public sealed class InboundTests : IAsyncLifetime
{
    private const string Client = "127.1.0.1", Other = "127.1.0.2", Service = "127.2.0.1", Name = "a.shop.svc.cluster.local";
    private readonly MeshBed _bed = new();
    private readonly Pod _pod = new("pod", "127.1.0.11");
    private readonly Pod _mail = new("mail", "127.1.0.12", "220 mail\r\n");

    public ValueTask InitializeAsync()
    {
        _bed.Apply([MeshBed.Workload("client", Client, "front"), MeshBed.Workload("other", Other, "back"), .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_pod))]);
        Pod();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        _pod.Dispose();
        _mail.Dispose();
    }

    private void Pod(Func<WorkloadUnit, WorkloadUnit>? more = null) => _bed.Apply(MeshBed.Workload("pod", _pod.Address, more: more), MeshBed.Workload("mail", _mail.Address, more: more));

    private static ConfigUnit Policy(string name, AuthorizationAction action, params AuthorizationRule[] rules) =>
        UnitCodec.Policy($"shop/{name}", new PolicyUnit { Authorization = new AuthorizationPolicyConfig { Name = $"shop/{name}", Action = action, Rules = rules.ToValueList() } });

    private static AuthorizationRule From(string account) => new() { From = [new AuthorizationSource { Principals = [$"cluster.local/ns/shop/sa/{account}"] }] };

    [Fact]
    public void Without_anything_to_ask_bytes_pass_as_they_are_and_come_from_the_client()
    {
        using var socket = _bed.DialInbound(Client, _pod.Address, _pod.Port);
        Assert.Equal((200, $"pod {Client}"), MeshBed.Get(socket));
        using var mail = _bed.DialInbound(Client, _mail.Address, _mail.Port);
        Assert.Equal("220 mail\r\n", Read(mail));
    }

    [Fact]
    public void A_policy_lets_in_who_it_names_and_nobody_else()
    {
        _bed.Apply(Policy("front-only", AuthorizationAction.Allow, From("front")));
        Pod(unit => unit with { Policies = ["shop/front-only"] });
        Assert.Equal((200, $"pod {Client}"), _bed.Get(Client, Service, 80));
        Assert.Equal(403, _bed.Get(Other, Service, 80).Status);
        // By the pod's own address it is no different, and in plaintext nobody is named.
        Assert.Equal(200, _bed.Get(Client, _pod.Address, _pod.Port).Status);
        Assert.Equal(403, _bed.Get(Other, _pod.Address, _pod.Port).Status);
        using var plain = _bed.DialInbound(Client, _pod.Address, _pod.Port);
        Assert.Equal(403, MeshBed.Get(plain).Status);
        // Bytes cannot be answered: they are closed, before the server has said anything.
        using var mail = _bed.Dial(Other, _mail.Address, _mail.Port);
        MeshBed.AssertClosed(mail);
        using var good = _bed.Dial(Client, _mail.Address, _mail.Port);
        Assert.Equal("220 mail\r\n", Read(good));
    }

    [Fact]
    public async Task A_policy_decides_by_path_and_the_record_says_which()
    {
        _bed.Apply(Policy("no-admin", AuthorizationAction.Deny, new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/admin*"] }] }));
        Pod(unit => unit with { Policies = ["shop/no-admin"] });
        using var socket = _bed.Dial(Client, Service, 80);
        Assert.Equal(200, MeshBed.Get(socket, "/").Status);
        Assert.Equal(403, MeshBed.Get(socket, "/admin/x").Status);
        using var raw = _bed.DialInbound(Client, _pod.Address, _pod.Port, "spiffe://cluster.local/ns/shop/sa/front");
        // What is no HTTP could be anything, the path as well: a rule that refuses holds.
        raw.Send("\0\0\0\0"u8);
        MeshBed.AssertClosed(raw);
        // Of the open connection, from the next request on.
        _bed.Apply(Policy("no-admin", AuthorizationAction.Deny, new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/"] }] }));
        Assert.Equal(403, MeshBed.Get(socket, "/").Status);
        Assert.Equal(200, MeshBed.Get(socket, "/admin/x").Status);
        socket.Dispose();
        await _bed.DisposeAsync();
        var log = Encoding.UTF8.GetString(_bed.Access.ToArray());
        Assert.Contains("\"source\":\"shop/client\",\"destination\":\"shop/pod\",\"identity\":\"spiffe://cluster.local/ns/shop/sa/front\",\"policy\":\"shop/no-admin\"", log, StringComparison.Ordinal);
        Assert.Contains($"\"source\":\"shop/client\",\"destination\":\"{Name}\"", log, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_or_tokens_that_are_lacking_refuse_until_they_come()
    {
        Pod(unit => unit with { Policies = ["shop/late"] });
        Assert.Equal(403, _bed.Get(Client, Service, 80).Status);
        _bed.Apply(Policy("late", AuthorizationAction.Allow, new AuthorizationRule()));
        Assert.Equal(200, _bed.Get(Client, Service, 80).Status);
        Pod(unit => unit with { Tokens = ["shop/tokens"] });
        Assert.Equal(403, _bed.Get(Client, Service, 80).Status);
        using var mail = _bed.Dial(Client, _mail.Address, _mail.Port);
        MeshBed.AssertClosed(mail);
    }

    [Fact]
    public void A_policy_that_cannot_be_read_keeps_its_old_state()
    {
        _bed.Apply(Policy("p", AuthorizationAction.Allow, From("front")));
        Pod(unit => unit with { Policies = ["shop/p"] });
        var rejected = _bed.Apply(Policy("p", AuthorizationAction.Allow, new AuthorizationRule { When = [new AuthorizationCondition("no.such", ["x"])] }));
        Assert.Equal(new UnitKey(UnitKind.Policy, "shop/p"), Assert.Single(rejected).Key);
        Assert.Equal((200, 403), (_bed.Get(Client, Service, 80).Status, _bed.Get(Other, Service, 80).Status));
    }

    [Theory]
    [InlineData("spiffe://cluster.local/ns/istio-system/sa/door", 403)]
    [InlineData(null, 200)]
    public void Fields_pass_as_they_are_and_who_has_no_identity_is_not_believed_for_whom_it_forwards(string? identity, int status)
    {
        using var pod = new RecordingUpstream();
        var address = pod.Address.Address.ToString();
        _bed.Apply(
            Policy("far", AuthorizationAction.Deny, new AuthorizationRule { From = [new AuthorizationSource { RemoteIpBlocks = ["203.0.113.0/24"] }] }),
            MeshBed.Workload("recorder", address, more: unit => unit with { Policies = ["shop/far"] }));
        using var socket = _bed.DialInbound(Client, address, pod.Address.Port, identity);
        Assert.Equal(status, MeshBed.Get(socket, headers: "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-User: me\r\n").Status);
        if (status == 200)
            Assert.Contains("x-forwarded-for: 203.0.113.9\r\nx-forwarded-user: me\r\n", Assert.Single(pod.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public void Strict_takes_nobody_without_an_identity_and_a_port_may_say_otherwise()
    {
        Pod(unit => unit with { MutualTls = MutualTls.Strict, Ports = [new PortMutualTls(_mail.Port, MutualTls.Permissive)] });
        using var plain = _bed.DialInbound(Client, _pod.Address, _pod.Port);
        MeshBed.AssertClosed(plain);
        using var known = _bed.DialInbound(Client, _pod.Address, _pod.Port, "spiffe://cluster.local/ns/shop/sa/front");
        Assert.Equal(200, MeshBed.Get(known).Status);
        Assert.Equal(200, _bed.Get(Client, Service, 80).Status);
        using var mail = _bed.DialInbound(Client, _mail.Address, _mail.Port);
        Assert.Equal("220 mail\r\n", Read(mail));
    }

    [Fact]
    public void What_was_let_through_ends_when_a_rule_comes_that_may_refuse_it()
    {
        using var tunnel = _bed.DialInbound(Client, _pod.Address, _pod.Port, "spiffe://cluster.local/ns/shop/sa/back");
        Assert.Equal(200, MeshBed.Get(tunnel).Status);
        using var straight = _bed.Dial(Other, _mail.Address, _mail.Port);
        Assert.Equal("220 mail\r\n", Read(straight));
        _bed.Apply(Policy("front-only", AuthorizationAction.Allow, From("front")));
        Pod(unit => unit with { Policies = ["shop/front-only"] });
        MeshBed.AssertClosed(tunnel);
        MeshBed.AssertClosed(straight);
    }

    [Fact]
    public void What_came_in_plaintext_ends_when_a_workload_becomes_strict()
    {
        using var plain = _bed.DialInbound(Client, _pod.Address, _pod.Port);
        Assert.Equal(200, MeshBed.Get(plain).Status);
        Pod(unit => unit with { MutualTls = MutualTls.Strict });
        MeshBed.AssertClosed(plain);
    }

    [Fact]
    public void Whoever_has_the_address_next_is_not_reached_by_what_the_one_before_let_in()
    {
        using var bytes = _bed.DialInbound(Client, _mail.Address, _mail.Port);
        Assert.Equal("220 mail\r\n", Read(bytes));
        // Requests are read here, so that the connection stays with the listener.
        _bed.Apply(Policy("all-get", AuthorizationAction.Allow, new AuthorizationRule { To = [new AuthorizationOperation { Methods = ["GET"] }] }));
        Pod(unit => unit with { Policies = ["shop/all-get"] });
        using var requests = _bed.DialInbound(Client, _pod.Address, _pod.Port, "spiffe://cluster.local/ns/shop/sa/front");
        Assert.Equal(200, MeshBed.Get(requests).Status);
        _bed.Remove(new UnitKey(UnitKind.Workload, "shop/pod"), new UnitKey(UnitKind.Workload, "shop/mail"));
        _bed.Apply(MeshBed.Workload("next", _pod.Address, more: unit => unit with { Policies = ["shop/all-get"] }));
        MeshBed.AssertClosed(bytes);
        Assert.NotEqual(200, MeshBed.Get(requests).Status);
        using var anew = _bed.DialInbound(Client, _pod.Address, _pod.Port, "spiffe://cluster.local/ns/shop/sa/front");
        Assert.Equal(200, MeshBed.Get(anew).Status);
    }

    [Fact]
    public void A_first_word_that_is_not_finished_is_judged_by_the_rules_that_hold_when_it_is()
    {
        _bed.Apply(Policy("all-get", AuthorizationAction.Allow, new AuthorizationRule { To = [new AuthorizationOperation { Methods = ["GET"] }] }));
        Pod(unit => unit with { Policies = ["shop/all-get"] });
        using var socket = _bed.DialInbound(Client, _pod.Address, _pod.Port);
        socket.Send("GE"u8);
        Pod(unit => unit with { MutualTls = MutualTls.Strict });
        socket.Send("T / HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        MeshBed.AssertClosed(socket);
    }

    [Fact]
    public void A_change_that_refuses_nothing_cuts_nothing()
    {
        using var plain = _bed.DialInbound(Client, _pod.Address, _pod.Port);
        Assert.Equal(200, MeshBed.Get(plain).Status);
        Pod(unit => unit with { Labels = new ValueMap([new("more", "labels")]) });
        Assert.Equal(200, MeshBed.Get(plain).Status);
    }

    [Fact]
    public void An_address_that_nobody_has_is_closed()
    {
        using var socket = _bed.DialInbound(Client, "127.1.0.99", 80);
        MeshBed.AssertClosed(socket);
    }

    [Fact]
    public void Tokens_are_checked_and_policies_see_what_they_say()
    {
        using var key = SigningKey.CreateEs256();
        var token = KeyServer.Sign(key);
        var provider = new JwtProviderConfig { Name = "shop/tokens/0", Issuer = KeyServer.Issuer, Jwks = new DataSource { Inline = new KeySet([key.PublicKey]).ToJson().ToJsonString() } };
        _bed.Apply(
            UnitCodec.Tokens("shop/tokens", new TokensUnit { Providers = [provider] }),
            Policy("with-token", AuthorizationAction.Allow, new AuthorizationRule { From = [new AuthorizationSource { RequestPrincipals = ["*"] }] }));
        Pod(unit => unit with { Tokens = ["shop/tokens"], Policies = ["shop/with-token"] });
        Assert.Equal(200, _bed.Get(Client, Service, 80, headers: $"Authorization: Bearer {token}\r\n").Status);
        Assert.Equal(401, _bed.Get(Client, Service, 80, headers: "Authorization: Bearer a.b.c\r\n").Status);
        Assert.Equal(403, _bed.Get(Client, Service, 80).Status);
    }

    [Fact]
    public void An_issuer_without_a_usable_key_takes_no_token_and_shuts_nobody_else_out()
    {
        using var key = SigningKey.CreateEs256();
        Assert.Empty(_bed.Apply(UnitCodec.Tokens("shop/tokens", new TokensUnit { Providers = [new JwtProviderConfig { Name = "shop/tokens/0", Issuer = KeyServer.Issuer, Jwks = new DataSource { Inline = "{\"keys\":[]}" } }] })));
        Pod(unit => unit with { Tokens = ["shop/tokens"] });
        Assert.Equal(401, _bed.Get(Client, Service, 80, headers: $"Authorization: Bearer {KeyServer.Sign(key)}\r\n").Status);
        Assert.Equal(200, _bed.Get(Client, Service, 80).Status);
    }

    [Fact]
    public async Task Keys_are_had_from_hosts_of_the_mesh_and_not_from_the_machines_own_servers()
    {
        using var key = SigningKey.CreateEs256();
        await using var keys = await KeyServer.StartAsync(key);
        var server = new Uri(keys.Uri);
        _bed.Apply([
            .. MeshBed.Host("keys.shop.svc.cluster.local", "127.2.0.7", 80, PortProtocol.Http, new EndpointConfig { Address = "127.0.0.1", Port = server.Port }),
            Tokens("mesh", "http://keys.shop.svc.cluster.local/keys"), Tokens("machine", keys.Uri), Tokens("name", $"http://localhost:{server.Port}/keys"),
        ]);
        foreach (var (policy, status) in new[] { ("machine", 401), ("name", 401), ("mesh", 200) })
        {
            Pod(unit => unit with { Tokens = [$"shop/{policy}"] });
            Assert.Equal(status, _bed.Get(Client, Service, 80, headers: $"Authorization: Bearer {KeyServer.Sign(key)}\r\n").Status);
            Assert.Equal(status == 200 ? 1 : 0, keys.Fetches);
        }

        static ConfigUnit Tokens(string name, string uri) =>
            UnitCodec.Tokens($"shop/{name}", new TokensUnit { Providers = [new JwtProviderConfig { Name = $"shop/{name}/0", Issuer = KeyServer.Issuer, JwksUri = uri }] });
    }

    [Fact]
    public async Task Requests_of_HTTP2_pass_both_sides_as_HTTP2()
    {
        await using var server = await ProxyFixture.ServerAsync(context => context.Response.WriteAsync(context.Request.Protocol), HttpProtocols.Http2);
        var port = new Uri(server.Urls.Single()).Port;
        var host = MeshBed.Host("g.shop.svc.cluster.local", "127.2.0.7", 80, PortProtocol.Http2, new EndpointConfig { Address = "127.0.0.1", Port = port });
        _bed.Apply([
            .. host, UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = "g.shop.svc.cluster.local:80", Protocol = UpstreamProtocol.Http2 }, Host = "g.shop.svc.cluster.local", Port = 80 }),
            Policy("no-admin", AuthorizationAction.Deny, new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/admin"] }] }),
            MeshBed.Workload("grpc", "127.0.0.1", more: unit => unit with { Policies = ["shop/no-admin"] }),
        ]);
        using var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(new System.Net.Sockets.NetworkStream(_bed.Dial(Client, "127.2.0.7", 80), ownsSocket: true)),
        })
        { DefaultRequestVersion = System.Net.HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.Equal("HTTP/2", await client.GetStringAsync("http://any/", TestContext.Current.CancellationToken));
        using var refused = await client.GetAsync("http://any/admin", TestContext.Current.CancellationToken);
        Assert.Equal(403, (int)refused.StatusCode);
    }

    [Fact]
    public async Task Connections_are_counted_and_recorded_as_well_as_those_that_are_refused()
    {
        _bed.Apply(Policy("front-only", AuthorizationAction.Allow, From("front")));
        Pod(unit => unit with { Policies = ["shop/front-only"] });
        using (var mail = _bed.Dial(Client, _mail.Address, _mail.Port))
        {
            Assert.Equal("220 mail\r\n", Read(mail));
            mail.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            MeshBed.AssertClosed(mail);
        }

        using (var refused = _bed.Dial(Other, _mail.Address, _mail.Port))
            MeshBed.AssertClosed(refused);
        string Metrics()
        {
            using var text = new StringWriter();
            _bed.Proxy.WriteMetrics(text);
            return text.ToString();
        }

        bool Has(string name, string reporter, string value) => Metrics().Split('\n').Any(line => line.StartsWith($"{name}{{reporter=\"{reporter}\",source_workload=\"client\"", StringComparison.Ordinal)
            && line.Contains("destination_workload=\"mail\"", StringComparison.Ordinal) && line.EndsWith(value, StringComparison.Ordinal));
        await Eventually.TrueAsync(() => Has("istio_tcp_connections_closed_total", "source", " 1") && Has("istio_tcp_sent_bytes_total", "destination", " 10"), state: Metrics);
        await _bed.DisposeAsync();
        var log = Encoding.UTF8.GetString(_bed.Access.ToArray());
        Assert.Contains("\"protocol\":\"TCP\"", log, StringComparison.Ordinal);
        Assert.Contains("\"source\":\"shop/other\",\"destination\":\"shop/mail\"", Assert.Single(log.Split('\n'), line => line.Contains("policy_none_allows", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Both_sides_are_counted_by_workload_and_service()
    {
        _bed.Apply(Policy("all", AuthorizationAction.Deny, new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/no"] }] }));
        Pod(unit => unit with { Policies = ["shop/all"] });
        Assert.Equal(200, _bed.Get(Client, Service, 80).Status);
        using var text = new StringWriter();
        _bed.Proxy.WriteMetrics(text);
        var lines = text.ToString().Split('\n').Where(line => line.StartsWith("istio_requests_total", StringComparison.Ordinal)).ToList();
        var source = Assert.Single(lines, line => line.Contains("reporter=\"source\"", StringComparison.Ordinal));
        Assert.Contains("source_workload=\"client\",source_workload_namespace=\"shop\",source_principal=\"spiffe://cluster.local/ns/shop/sa/front\"", source, StringComparison.Ordinal);
        Assert.Contains("destination_workload=\"pod\",destination_workload_namespace=\"shop\"", source, StringComparison.Ordinal);
        Assert.Contains($"destination_service=\"{Name}\",destination_service_name=\"a\",destination_service_namespace=\"shop\"", source, StringComparison.Ordinal);
        var destination = Assert.Single(lines, line => line.Contains("reporter=\"destination\"", StringComparison.Ordinal));
        Assert.Contains("destination_workload=\"pod\"", destination, StringComparison.Ordinal);
        Assert.Contains("connection_security_policy=\"mutual_tls\"", destination, StringComparison.Ordinal);
    }

    private static string Read(System.Net.Sockets.Socket socket)
    {
        var buffer = new byte[4096];
        return Encoding.Latin1.GetString(buffer, 0, socket.Receive(buffer));
    }
}
