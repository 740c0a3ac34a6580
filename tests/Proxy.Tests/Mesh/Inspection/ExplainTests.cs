using Weft.Proxy.Config;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Tests.Mesh.Inspection;

/// <summary>What is said of a request beforehand is what happens to it.</summary>
public sealed class ExplainTests : IAsyncLifetime
{
    private const string Client = "127.1.0.1", Service = "127.2.0.1", Name = "a.shop.svc.cluster.local";
    private readonly MeshBed _bed = new();
    private readonly Pod _one = new("one", "127.1.0.11"), _two = new("two", "127.1.0.12");

    public ValueTask InitializeAsync()
    {
        _bed.Apply([
            MeshBed.Workload("client", Client, "front"), MeshBed.Workload("one", _one.Address), MeshBed.Workload("two", _two.Address),
            .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one, ("v", "1")), MeshBed.Endpoint(_two, ("v", "2"))),
        ]);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        _one.Dispose();
        _two.Dispose();
    }

    private static readonly ExplainQuestion Question = new() { Namespace = "shop", Pod = "client", Host = "a" };

    private Explanation Explain(Func<ExplainQuestion, ExplainQuestion>? more = null) => _bed.Proxy.Explain(more?.Invoke(Question) ?? Question);

    private static ExplainedStep Step(Explanation explanation, string name) => explanation.Steps.First(step => step.Name == name);

    private int Sent(string path = "/", string headers = "") => _bed.Get(Client, Service, 80, path, headers).Status;

    [Fact]
    public void The_names_that_pods_use_lead_to_the_host_and_its_endpoints()
    {
        foreach (var name in new[] { "a", "a.shop", "a.shop.svc", Name, Service })
        {
            var explanation = Explain(question => question with { Host = name });
            Assert.Equal(ExplainedOutcome.Forwarded, explanation.Outcome);
            Assert.Equal([$"{_one.Address}:{_one.Port}", $"{_two.Address}:{_two.Port}"], explanation.Endpoints.Select(one => one.Address).Order());
            Assert.All(explanation.Endpoints, one => Assert.Equal(("healthy", "local", 0), (one.Health, one.Security, one.Active)));
        }

        Assert.Contains("in the mesh as spiffe://cluster.local/ns/shop/sa/front", Step(Explain(), "source").Text, StringComparison.Ordinal);
        Assert.Contains("no VirtualService", Step(Explain(), "route").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_headless_service_has_its_rules_where_it_is_named_and_a_pod_that_is_named_is_the_one()
    {
        const string Peers = "peers.shop.svc.cluster.local";
        var cluster = new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Peers}:{_one.Port}" }, Host = Peers, Port = _one.Port };
        ForwardAction dialled = new() { Clusters = [new WeightedCluster { Cluster = $"{Peers}:{_one.Port}/~dialled" }] };
        _bed.Apply(
            UnitCodec.Destination(Peers, new DestinationUnit { ByEndpoint = true, Ports = [new DestinationPort { Port = _one.Port, Protocol = PortProtocol.Auto, Routes = "peers" }] }),
            UnitCodec.Routes(new RouteTableConfig
            {
                Name = "peers",
                Hosts =
                [
                    new VirtualHostConfig
                    {
                        Name = Peers, Domains = ["peers", Peers],
                        Routes = [new RouteConfig { Name = "shop/peers/http[0]", Matches = [new RouteMatch { Path = new(PathMatchKind.TextPrefix, "/no") }], Action = new DirectResponse { Status = 418 } }, new RouteConfig { Name = "default", Action = dialled }],
                    },
                    new VirtualHostConfig { Name = "direct", Domains = ["*"], Routes = [new RouteConfig { Name = "dialled", Action = dialled }] },
                ],
            }),
            UnitCodec.Cluster(cluster), UnitCodec.Cluster(cluster with { Cluster = new ClusterConfig { Name = $"{Peers}:{_one.Port}/~dialled" }, OriginalAddress = true }),
            UnitCodec.Backends("slice/shop/peers", new BackendsUnit
            {
                Host = Peers, ByEndpoint = true, Ports = [new BackendPort(_one.Port, [MeshBed.Endpoint(_one) with { HostName = "peer-0" }, MeshBed.Endpoint(_one) with { HostName = "peer-1", Address = _two.Address }])],
            }));
        Explanation Asked(string host, string path = "/", string scheme = "http") => Explain(question => question with { Host = host, Port = _one.Port, Path = path, Scheme = scheme });

        Assert.Equal(418, Asked("peers", "/no").Status);
        Assert.Equal(2, Asked("peers").Endpoints.Count);
        Assert.Contains("one of them, by DNS", Step(Asked("peers"), "destination").Text, StringComparison.Ordinal);
        foreach (var name in new[] { "peer-0.peers", $"peer-0.{Peers}", _one.Address })
        {
            var direct = Asked(name, "/no");
            Assert.Equal(ExplainedOutcome.Forwarded, direct.Outcome);
            Assert.Equal($"{_one.Address}:{_one.Port}", Assert.Single(direct.Endpoints).Address);
            Assert.Equal(200, _bed.Get(Client, _one.Address, _one.Port, "/no").Status);
        }

        Assert.Equal($"{_one.Address}:{_one.Port}", Assert.Single(Asked("peer-0.peers", scheme: "tcp").Endpoints).Address);
        Assert.Equal(2, Asked("peers", scheme: "tcp").Endpoints.Count);
    }

    [Fact]
    public void A_host_that_was_given_an_address_is_reached_on_the_ports_that_it_has()
    {
        var host = MeshBed.Host("db.example", "127.2.0.9", 5432, PortProtocol.Tcp, new EndpointConfig { Address = "127.9.0.1", Port = 5432 });
        host[0] = UnitCodec.Destination("db.example", ((DestinationUnit)UnitCodec.Read(host[0])) with { Addresses = [], Answer = new HostAnswer { Addresses = ["240.240.0.9"], Allocated = true } });
        _bed.Apply(host);
        Assert.Equal(ExplainedOutcome.Forwarded, Explain(question => question with { Host = "db.example", Port = 5432, Scheme = "tcp" }).Outcome);
        Assert.Equal(ExplainedOutcome.Refused, Explain(question => question with { Host = "db.example", Port = 80 }).Outcome);
    }

    [Fact]
    public void A_rule_is_named_with_its_match_and_why_those_before_do_not_take_the_request()
    {
        ForwardAction To(string version) => new() { Clusters = [new WeightedCluster { Cluster = $"{Name}:80/{version}" }], Timeout = TimeSpan.FromSeconds(2) };
        ConfigUnit Subset(string version) => UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Name}:80/{version}" }, Host = Name, Port = 80, Labels = new ValueMap([new("v", version)]) });
        _bed.Apply([
            Subset("1"), Subset("2"),
            MeshBed.Routes(Name, 80,
                new RouteConfig { Name = "shop/a/http[0]", Matches = [new RouteMatch { Path = new(PathMatchKind.TextPrefix, "/v2"), Methods = ["GET"] }, new RouteMatch { Headers = [new NamedMatch("x-v", StringMatch.Exact("2"))] }], Action = To("2") },
                new RouteConfig { Name = "shop/a/http[1]", Action = To("1") }),
        ]);
        var first = Explain(question => question with { Path = "/v2/x" });
        Assert.Equal(["VirtualService shop/a/http[0] takes it"], [Step(first, "route").Text]);
        Assert.Equal(["match[0]: path beginning with /v2, method GET"], Step(first, "route").Why);
        Assert.Equal($"{_two.Address}:{_two.Port}", Assert.Single(first.Endpoints).Address);
        var header = Explain(question => question with { Headers = [new("X-V", "2")] });
        Assert.Equal("match[1]: header x-v '2'", Step(header, "route").Why[0]);
        var last = Explain(question => question with { Method = "POST", Headers = [new("x-v", "3")] });
        Assert.Equal(
            ["it takes every request that came this far", "not shop/a/http[0] match[0]: the path is not beginning with /v2, and the method is not GET", "not shop/a/http[0] match[1]: header x-v is not '2'"],
            Step(last, "route").Why);
        Assert.Contains("time-out 2 s for all tries together", Step(last, "action").Why);
        Assert.Equal($"{_one.Address}:{_one.Port}", Assert.Single(last.Endpoints).Address);
        Assert.Contains($"Cluster {Name}:80/1", last.Units);
    }

    [Fact]
    public void Shares_are_told_by_their_weights()
    {
        _bed.Apply([
            UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{Name}:80/2" }, Host = Name, Port = 80, Labels = new ValueMap([new("v", "2")]) }),
            MeshBed.Routes(Name, 80, new RouteConfig { Name = "shop/a/http[0]", Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = $"{Name}:80", Weight = 90 }, new WeightedCluster { Cluster = $"{Name}:80/2", Weight = 10 }] } }),
        ]);
        var shares = Explain().Steps.Where(step => step.Name == "destination").Select(step => step.Text).ToList();
        Assert.StartsWith($"90 % to {Name}:80: 2 endpoints", shares[0], StringComparison.Ordinal);
        Assert.StartsWith($"10 % to {Name}:80/2: 1 endpoint,", shares[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_that_refuses_is_named_and_so_is_what_it_would_take()
    {
        var allow = new AuthorizationPolicyConfig { Name = "shop/back-only", Rules = [new AuthorizationRule { From = [new AuthorizationSource { Principals = ["cluster.local/ns/shop/sa/back"] }] }, new AuthorizationRule { To = [new AuthorizationOperation { Methods = ["GET"], Paths = ["/open*"] }] }] };
        var trial = new AuthorizationPolicyConfig { Name = "shop/trial", Action = AuthorizationAction.Deny, DryRun = true, Rules = [new AuthorizationRule()] };
        _bed.Apply([
            UnitCodec.Policy("shop/back-only", new PolicyUnit { Authorization = allow }), UnitCodec.Policy("shop/trial", new PolicyUnit { Authorization = trial }),
            .. new[] { ("one", _one.Address), ("two", _two.Address) }.Select(pod => MeshBed.Workload(pod.Item1, pod.Item2, more: unit => unit with { Policies = ["shop/back-only", "shop/trial"] })),
        ]);
        var refused = Explain(question => question with { Path = "/buy" });
        Assert.Equal((ExplainedOutcome.Refused, 403), (refused.Outcome, refused.Status));
        Assert.Equal(403, Sent("/buy"));
        var why = Step(refused, "inbound").Why;
        Assert.Contains("the client is spiffe://cluster.local/ns/shop/sa/front", why);
        Assert.Contains("shop/back-only rule 0 is for from principals cluster.local/ns/shop/sa/back", why);
        Assert.Contains("on trial: shop/trial rule 0 would have refused it", why);
        var allowed = Explain(question => question with { Path = "/open/x" });
        Assert.Equal(ExplainedOutcome.Forwarded, allowed.Outcome);
        Assert.Equal(200, Sent("/open/x"));
        Assert.Equal("allowed by shop/back-only rule 1", Step(allowed, "inbound").Text);
        Assert.Contains("Policy shop/back-only", allowed.Units);
    }

    [Fact]
    public void Strict_refuses_whoever_comes_without_an_identity()
    {
        _bed.Apply([.. new[] { ("one", _one.Address), ("two", _two.Address) }.Select(pod => MeshBed.Workload(pod.Item1, pod.Item2, more: unit => unit with { MutualTls = MutualTls.Strict })), MeshBed.Workload("plain", "127.1.0.5", more: unit => unit with { Identity = null })]);
        Assert.Equal(ExplainedOutcome.Forwarded, Explain().Outcome);
        foreach (var stranger in new[] { Explain(question => question with { Pod = "plain" }), Explain(question => question with { From = "host" }) })
        {
            Assert.Equal((ExplainedOutcome.Refused, null), (stranger.Outcome, stranger.Status));
            Assert.Contains("STRICT", stranger.Summary, StringComparison.Ordinal);
            Assert.Equal('!', Step(stranger, "source").Mark);
        }
    }

    [Fact]
    public void Faults_redirects_and_fixed_answers_end_it_where_they_are()
    {
        _bed.Apply(MeshBed.Routes(Name, 80,
            new RouteConfig { Name = "shop/a/http[0]", Matches = [new RouteMatch { Path = new(PathMatchKind.Exact, "/fault") }], Filters = [new FaultFilter { AbortStatus = 418, AbortFraction = 1 }], Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = $"{Name}:80" }] } },
            new RouteConfig { Name = "shop/a/http[1]", Matches = [new RouteMatch { Path = new(PathMatchKind.Exact, "/moved") }], Action = new RedirectAction { Path = "/there", Status = 302 } },
            new RouteConfig { Name = "shop/a/http[2]", Matches = [new RouteMatch { Path = new(PathMatchKind.Exact, "/fixed") }], Action = new DirectResponse { Status = 410 } }));
        foreach (var (path, status) in new[] { ("/fault", 418), ("/moved", 302), ("/fixed", 410), ("/else", 404) })
        {
            var explanation = Explain(question => question with { Path = path });
            Assert.Equal((ExplainedOutcome.Answered, status), (explanation.Outcome, explanation.Status));
            Assert.Equal(status, Sent(path));
            Assert.Empty(explanation.Endpoints);
        }

        Assert.Contains("100 % are answered 418", Explain(question => question with { Path = "/fault" }).Summary, StringComparison.Ordinal);
        Assert.Contains("not shop/a/http[1]: the path is not exactly /moved", Explain(question => question with { Path = "/else" }).Steps[^1].Why);
    }

    [Fact]
    public void Nobody_there_no_such_port_and_no_such_host_are_told_apart()
    {
        _bed.Apply(MeshBed.Backends(Name, 80));
        var empty = Explain();
        Assert.Equal((ExplainedOutcome.Unreachable, 503), (empty.Outcome, empty.Status));
        Assert.Equal(503, Sent());
        Assert.Contains("kubernetes.io/service-name=a", Step(empty, "destination").Why[0], StringComparison.Ordinal);
        var port = Explain(question => question with { Port = 81 });
        Assert.Equal(ExplainedOutcome.Refused, port.Outcome);
        Assert.Equal("its ports: 80", Assert.Single(Step(port, "port").Why));
        var host = Explain(question => question with { Host = "a.bank" });
        Assert.Equal(ExplainedOutcome.Unreachable, host.Outcome);
        Assert.Equal($"there are: {Name}", Assert.Single(Step(host, "host").Why));
        Assert.Equal(ExplainedOutcome.PassedThrough, Explain(question => question with { Host = "example.com" }).Outcome);
        _bed.Apply(MeshBed.Workload("client", Client, "front", more: unit => unit with { KnownHostsOnly = true }));
        Assert.Equal(ExplainedOutcome.Refused, Explain(question => question with { Host = "example.com" }).Outcome);
        Assert.Contains("not known to the mesh", Explain(question => question with { Pod = "nobody" }).Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_that_is_named_and_lacking_refuses()
    {
        _bed.Apply(MeshBed.Workload("one", _one.Address, more: unit => unit with { Policies = ["shop/gone"] }));
        var explanation = Explain();
        Assert.Equal(ExplainedOutcome.Depends, explanation.Outcome);
        Assert.Contains(explanation.Steps, step => step is { Name: "inbound", Mark: '!' } && step.Text.Contains("refused by shop/gone is lacking", StringComparison.Ordinal));
    }

    [Fact]
    public void A_token_is_taken_as_valid_and_its_claims_decide()
    {
        var policy = new AuthorizationPolicyConfig { Name = "shop/users", Rules = [new AuthorizationRule { From = [new AuthorizationSource { RequestPrincipals = ["https://issuer.example/ann"] }] }] };
        _bed.Apply([
            UnitCodec.Policy("shop/users", new PolicyUnit { Authorization = policy }), UnitCodec.Tokens("shop/jwt", new TokensUnit { Providers = [new JwtProviderConfig { Name = "shop/jwt[0]", Issuer = "https://issuer.example", JwksUri = "https://issuer.example/keys" }] }),
            .. new[] { ("one", _one.Address), ("two", _two.Address) }.Select(pod => MeshBed.Workload(pod.Item1, pod.Item2, more: unit => unit with { Policies = ["shop/users"], Tokens = ["shop/jwt"] })),
        ]);
        static string Token(string issuer, string subject) => "Bearer x." + System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes($$"""{"iss":"{{issuer}}","sub":"{{subject}}"}""")) + ".y";
        Explanation With(string issuer, string subject) => Explain(question => question with { Headers = [new("Authorization", Token(issuer, subject))] });
        Assert.Equal(ExplainedOutcome.Forwarded, With("https://issuer.example", "ann").Outcome);
        Assert.Equal(403, With("https://issuer.example", "bob").Status);
        Assert.Equal(401, With("https://other.example", "ann").Status);
        Assert.Equal(403, Explain().Status);
    }

    [Fact]
    public void Claims_of_a_token_that_the_door_verifies_choose_the_route()
    {
        RouteConfig To(string name, params ClaimMatch[] claims) => new() { Name = $"shop/door/{name}", Matches = claims.Length == 0 ? [] : [new RouteMatch { Claims = [.. claims] }], Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = $"{Name}:80" }] } };
        var own = new JwtFilter { Issuers = [new JwtProviderConfig { Name = "own", Issuer = "https://own.example", FromQuery = ["token"] }], Scopes = ["read"] };
        _bed.Apply([
            UnitCodec.Tokens("istio-system/jwt", new TokensUnit { Providers = [new JwtProviderConfig { Name = "istio-system/jwt/0", Issuer = "https://issuer.example" }] }),
            UnitCodec.Listener(new ListenerUnit { Listener = new ListenerConfig { Name = "gateway/80", Port = 80, RouteTable = "gateway/80" }, Tokens = ["istio-system/jwt"] }),
            UnitCodec.Routes(new RouteTableConfig
            {
                Name = "gateway/80",
                Hosts = [new VirtualHostConfig { Name = "shop.example", Domains = ["shop.example"], Routes = [To("beta", new ClaimMatch(["groups"], StringMatch.Exact("beta"))), To("rest")] }, new VirtualHostConfig { Name = "own.example", Domains = ["own.example"], Routes = [To("own") with { Filters = [own] }] }],
            }),
        ]);
        static string Token(string claims) => "x." + System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(claims)) + ".y";
        Explanation From(string host, string? token, string path = "/") => Explain(question => question with { From = "outside", Host = host, Path = path, Headers = token is null ? [] : [new("Authorization", "Bearer " + token)] });
        var beta = From("shop.example", Token("{\"iss\":\"https://issuer.example\",\"sub\":\"a\",\"groups\":[\"alpha\",\"beta\"]}"));
        Assert.Equal(("route shop/door/beta takes it", "match[0]: claim groups 'beta'"), (Step(beta, "route").Text, Step(beta, "route").Why[0]));
        foreach (var token in new[] { null, Token("{\"iss\":\"https://issuer.example\",\"sub\":\"a\",\"groups\":\"gamma\"}") })
        {
            var rest = From("shop.example", token);
            Assert.Equal("route shop/door/rest takes it", Step(rest, "route").Text);
            Assert.Contains("not shop/door/beta: claim groups is not 'beta'", Step(rest, "route").Why);
        }

        Assert.Equal((ExplainedOutcome.Refused, 401), (From("own.example", null).Outcome, From("own.example", null).Status));
        Assert.Equal(403, From("own.example", null, "/?token=" + Token("{\"iss\":\"https://own.example\",\"scope\":\"write\"}")).Status);
        Assert.Equal(401, From("own.example", null, "/?token=" + Token("{\"iss\":\"https://else.example\",\"scope\":\"read\"}")).Status);
        Assert.Equal(ExplainedOutcome.Forwarded, From("own.example", null, "/?token=" + Token("{\"iss\":\"https://own.example\",\"scope\":\"write read\"}")).Outcome);
    }

    [Fact]
    public void What_comes_from_outside_passes_the_front_door()
    {
        _bed.Apply([
            UnitCodec.Listener(new ListenerUnit { Listener = new ListenerConfig { Name = "gateway/80", Port = 80, RouteTable = "gateway/80" } }),
            UnitCodec.Routes(new RouteTableConfig { Name = "gateway/80", Hosts = [new VirtualHostConfig { Name = "shop.example", Domains = ["shop.example"], Routes = [new RouteConfig { Name = "shop/door/http[0]", Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = $"{Name}:80" }] } }] }] }),
        ]);
        Explanation From(string host, int port = 80) => Explain(question => question with { From = "outside", Host = host, Port = port });
        Assert.Equal(ExplainedOutcome.Forwarded, From("shop.example").Outcome);
        Assert.Equal((ExplainedOutcome.Answered, 404), (From("other.example").Outcome, From("other.example").Status));
        Assert.Contains("its ports: 80", From("shop.example", 81).Steps[0].Why);
    }

    [Fact]
    public void A_name_that_the_front_door_passes_on_is_led_by_the_rules_for_connections()
    {
        _bed.Apply([
            UnitCodec.Listener(new ListenerUnit
            {
                Listener = new ListenerConfig
                {
                    Name = "gateway/443", Port = 443, RouteTable = "gateway/443", Tls = new ListenerTls { Passthrough = ["raw.example", "shut.example"] },
                    ConnectionRoutes = [new ConnectionRoute { ServerNames = ["raw.example"], Clusters = [new WeightedCluster { Cluster = $"{Name}:80" }] }],
                },
            }),
        ]);
        Explanation From(string host) => Explain(question => question with { From = "outside", Scheme = "https", Host = host, Port = 443 });
        Assert.Equal(ExplainedOutcome.Forwarded, From("raw.example").Outcome);
        Assert.Contains(From("raw.example").Steps, step => step.Text == "a rule for TLS takes the connection");
        Assert.Equal(ExplainedOutcome.Refused, From("shut.example").Outcome);
        Assert.Equal(404, From("other.example").Status);
    }
}
